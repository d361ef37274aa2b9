#include "tests/qrexec/fixture.h"
TCase *bulk_tests(void) { return tcase_create("bulk"); }
