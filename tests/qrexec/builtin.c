#include "tests/qrexec/fixture.h"
TCase *builtin_tests(void) { return tcase_create("builtin"); }
