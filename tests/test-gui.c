/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin gui between apps and a strict model of the daemon: tests/gui. */
#include "tests/gui/fixture.h"

int main(void)
{
    TCase *(*const cases[])(void) = { gui_cases_windows, gui_cases_input, gui_cases_life, gui_cases_units, gui_cases_model };
    Suite *s = suite_create("gui");
    SRunner *r;
    int failed;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TCase *t = cases[i]();

        tcase_set_timeout(t, 900);      /* of waiting on a busy machine */
        suite_add_tcase(s, t);
    }
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
