/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/get.c - www.Get, a file by a qrexec call: no HTTP, the bytes come on stdout. *From another VM.*
 *
 *   www.Get+css+style.css      the argument is the path; + stands for the slash, which an argument cannot have
 *   www.Get                    the path is the first line of stdin, as in a URL ("/a%20b.txt"); none: the index
 *
 * Exit code 0, or 1 and a line on stderr. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "www.h"

struct www_get {
    struct www *w;
    struct unik_qrexec_call *call;
    struct www_get *next, **link;
    ev_timer timer;
    struct www_send send;
    bool sending, again;
    size_t n;
    char line[WWW_PATH_MAX * 3 + 2];    /* every byte of the longest path escaped */
};

static void end(struct www_get *g, int code)
{
    struct www *w = g->w;

    ev_timer_stop(w->ctx->loop, &g->timer);
    www_send_free(&g->send);
    g->call->exit_code = code;
    if (g->sending && code)             /* in the middle: no end of stdout in order */
        unik_stream_abort(g->call->io);
    else
        unik_stream_close(g->call->io);
    *g->link = g->next;
    if (g->next)
        g->next->link = g->link;
    free(g);
    w->n_gets--;
    www_gone(w);
}

static void complain(struct www_get *g, const char *path, const char *why)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "www.Get: %.180s: %s\n", path, why);

    for (int i = 0; i < n - 1; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = '?';
    g->w->qrexec->write_err(g->call, line, (size_t)n);
    unik_debug(g->w->ctx, "%s www.Get %.180s: %s", g->call->peer, path, why);
    end(g, 1);
}

static void set_timer(struct www_get *g, double seconds)
{
    ev_timer_stop(g->w->ctx->loop, &g->timer);
    ev_timer_set(&g->timer, seconds, 0);
    ev_timer_start(g->w->ctx->loop, &g->timer);
}

static void sent(struct www_get *g, int e)
{
    if (e == 1) {
        end(g, 0);
    } else if (e == 0) {
        set_timer(g, g->w->config->write_timeout);
    } else if (e == -EAGAIN) {
        g->again = true;
        set_timer(g, 0);
    } else if (e == -EIO) {
        g->w->ctx->counters[WWW_TRUNCATED]++;
        complain(g, "cut off", "the file became shorter");
    } else {
        end(g, 1);
    }
}

static void answer(struct www_get *g, const char *target)
{
    struct www_answer a = { .status = 200 };
    struct www_path path;
    int e = www_path_decode(target, strlen(target), g->w->config->dotfiles, &path);

    if (e == 0)
        e = www_file_get(g->w, &path, &a.file);
    if (e == -EISDIR) {
        path.folder = true;
        e = www_file_get(g->w, &path, &a.file);
    }
    if (e != 0) {
        complain(g, target, e == -ENOENT || e == -EISDIR ? "no such file" : e == -EACCES ? "not allowed" :
                 e == -EAGAIN ? "try again later" : e == -EIO ? "cannot be read" : "not a path");
        return;
    }
    a.end = a.file->size;
    g->sending = true;
    unik_debug(g->w->ctx, "%s www.Get %s %llu", g->call->peer, target, (unsigned long long)a.end);
    sent(g, www_send_begin(g->w, g->call->io, &g->send, &a));
}

/* Until the first line of stdin is there, or its end. */
static void read_line(struct www_get *g)
{
    const void *p;
    const char *end_of_line;
    bool complete = false;
    size_t n;

    while (!complete && (n = unik_stream_peek(g->call->io, &p)) > 0) {
        end_of_line = memchr(p, '\n', n);
        complete = end_of_line != NULL;
        if (complete)
            n = (size_t)(end_of_line - (const char *)p);
        if (n >= sizeof(g->line) - g->n) {
            g->line[g->n] = 0;
            complain(g, g->line, "too long");
            return;
        }
        memcpy(g->line + g->n, p, n);
        g->n += n;
        unik_stream_consume(g->call->io, n + complete);
    }
    if (!complete && unik_stream_ended(g->call->io) == 0)
        return;
    if (!complete && unik_stream_ended(g->call->io) < 0) {
        end(g, 1);
        return;
    }
    g->n -= g->n && g->line[g->n - 1] == '\r';
    if (memchr(g->line, 0, g->n)) {
        complain(g, "stdin", "not a path");
        return;
    }
    g->line[g->n] = 0;
    answer(g, g->n ? g->line : "/");
}

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    struct www_get *g = arg;
    const void *p;

    if (!g->sending)
        read_line(g);
    else if (unik_stream_peek(s, &p) == 0 && unik_stream_ended(s) < 0)
        end(g, 1);
    else if (!g->again && (events & UNIK_STREAM_ROOM))
        sent(g, www_send_on(g->w, s, &g->send));
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct www_get *g = t->data;

    (void)loop, (void)revents;
    if (g->again) {
        g->again = false;
        sent(g, www_send_on(g->w, g->call->io, &g->send));
        return;
    }
    g->w->ctx->counters[WWW_TIMEOUTS]++;
    if (g->sending)
        end(g, 1);
    else
        complain(g, "stdin", "no path in time");
}

void www_get_call(struct unik_qrexec_call *call, void *arg)
{
    struct www *w = arg;
    struct www_get *g = NULL;

    if (!w->draining && w->n_gets < (size_t)w->config->max_connections)
        g = calloc(1, sizeof(*g));
    if (!g) {
        w->ctx->counters[WWW_REFUSED]++;
        call->exit_code = UNIK_QREXEC_BROKEN;
        unik_stream_close(call->io);
        return;
    }
    g->w = w;
    g->call = call;
    g->next = w->gets;
    g->link = &w->gets;
    if (g->next)
        g->next->link = &g->next;
    w->gets = g;
    w->n_gets++;
    w->ctx->counters[WWW_GETS]++;
    ev_timer_init(&g->timer, on_timer, 0, 0);
    g->timer.data = g;
    unik_stream_on(call->io, on_event, g);
    set_timer(g, w->config->head_timeout);
    if (!*call->argument) {
        read_line(g);
        return;
    }
    if (strlen(call->argument) + 2 > sizeof(g->line)) {
        complain(g, call->argument, "too long");
        return;
    }
    snprintf(g->line, sizeof(g->line), "/%s", call->argument);
    for (char *c = g->line; *c; c++)
        if (*c == '+')
            *c = '/';
    answer(g, g->line);
}

void www_get_stop(struct www *w)
{
    struct www_get *g = w->gets;

    while (g) {
        struct www_get *next = g->next;

        end(g, UNIK_QREXEC_BROKEN);
        g = next;
    }
}
