#include "tests/qrexec/fixture.h"
TCase *outgoing_tests(void) { return tcase_create("outgoing"); }
