/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/leaver.h - a plugin that does nothing, in whose name a test leaves things behind. */
#ifndef TESTS_COMMON_LEAVER_H
#define TESTS_COMMON_LEAVER_H

#include <unik/plugin.h>

static inline int leaver_start(struct unik_ctx *ctx)
{
    unik_ready(ctx);
    return 0;
}

static inline void leaver_stop(struct unik_ctx *ctx) { unik_stopped(ctx); }

static const struct unik_plugin leaver = {
    UNIK_PLUGIN_HEAD, .name = "leaver", .version = "1", .summary = "leaves things behind", .targets = UNIK_ON_ANY,
    .start = leaver_start, .stop = leaver_stop
};

#endif
