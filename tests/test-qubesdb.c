/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of dom0's QubesDB daemon: its data structures, every message both ways, watches, own writes, reconnects, a
 * random run against a model, and once over real sockets. */
#include "tests/qubesdb/dom0.h"

int main(void)
{
    SRunner *r = srunner_create(suite_units());
    int failed;

    srunner_add_suite(r, suite_wire());
    srunner_add_suite(r, suite_watches());
    srunner_add_suite(r, suite_own());
    srunner_add_suite(r, suite_reconnect());
    srunner_add_suite(r, suite_model());
    srunner_add_suite(r, suite_sockets());
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
