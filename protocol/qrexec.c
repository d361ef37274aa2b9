#include "protocol/cursor.h"
