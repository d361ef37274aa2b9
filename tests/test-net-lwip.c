/* SPDX-License-Identifier: BSD-2-Clause */
/* net-lwip, packet by packet: what it makes of what comes, and every frame it sends. tests/lwip/ holds the tests. */
#include <check.h>
#include <stdlib.h>

#include "lwip/bed.h"

int main(void)
{
    Suite *s = suite_create("net-lwip");
    TCase *(*const cases[])(void) = { tcp_tests, hostile_tests, config_tests, names_tests, flow_tests, path_tests, cost_tests, admit_tests, reuse_tests,
                                      neighbour_tests, idle_tests };
    SRunner *r;
    int failed;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TCase *t = cases[i]();

        tcase_set_timeout(t, 900);
        suite_add_tcase(s, t);
    }
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
