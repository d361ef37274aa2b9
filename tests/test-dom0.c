/* SPDX-License-Identifier: BSD-2-Clause */
/* unik-dom0 against guests played by peers: the bytes of the documents, every violation reported, every fault as it
 * says. */
#include "tests/dom0/run.h"

int main(void)
{
    Suite *s = suite_create("dom0");
    SRunner *r;
    int failed;

    suite_add_tcase(s, case_calls());
    suite_add_tcase(s, case_control());
    suite_add_tcase(s, case_guest());
    suite_add_tcase(s, case_qubesdb());
    suite_add_tcase(s, case_faults());
    suite_add_tcase(s, case_gui());
    suite_add_tcase(s, case_gui_user());
    suite_add_tcase(s, case_gui_show());
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
