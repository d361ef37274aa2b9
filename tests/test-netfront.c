/* SPDX-License-Identifier: BSD-2-Clause */
/* netfront over a played Xen and a scripted xenstored, with a back end that checks what it is sent, or lies. */
#include <check.h>
#include "tests/netfront/suite.h"

int main(void)
{
    Suite *s = suite_create("netfront");
    SRunner *r;
    int failed;

    suite_add_tcase(s, netfront_states());
    suite_add_tcase(s, netfront_frames());
    suite_add_tcase(s, netfront_lies());
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
