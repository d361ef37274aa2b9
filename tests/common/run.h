/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/run.h - the end of a test's main(): run one case, say what failed. */
#ifndef TESTS_COMMON_RUN_H
#define TESTS_COMMON_RUN_H

#include <check.h>

#define RUN_SECONDS 900     /* for one test: a bound for what never ends, longer than any single wait */

/* main()'s result. */
static inline int run_case(const char *name, TCase *t)
{
    Suite *s = suite_create(name);
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, RUN_SECONDS);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
