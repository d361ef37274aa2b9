#include "tests/qrexec/fixture.h"
TCase *peer_tests(void) { return tcase_create("peer"); }
