#include "tests/qrexec/fixture.h"
TCase *control_tests(void) { return tcase_create("control"); }
