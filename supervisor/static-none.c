/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/static-none.c - the table of built in plugins of the dynamic program: there is none. */
#include "supervisor/loader.h"

const struct unik_plugin *const loader_static[] = { NULL };
