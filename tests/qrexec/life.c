#include "tests/qrexec/fixture.h"
TCase *life_tests(void) { return tcase_create("life"); }
