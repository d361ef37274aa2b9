/* SPDX-License-Identifier: BSD-2-Clause */
/* The qrexec agent between a scripted dom0 and scripted VMs, over the real socket vchan. */
#include "tests/qrexec/fixture.h"

int main(void)
{
    Suite *s = suite_create("qrexec");
    SRunner *r;
    int failed;

    suite_add_tcase(s, incoming_tests());
    suite_add_tcase(s, outgoing_tests());
    suite_add_tcase(s, control_tests());
    suite_add_tcase(s, crossed_tests());
    suite_add_tcase(s, peer_tests());
    suite_add_tcase(s, builtin_tests());
    suite_add_tcase(s, life_tests());
    suite_add_tcase(s, program_tests());
    suite_add_tcase(s, bulk_tests());
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
