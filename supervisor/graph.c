/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/graph.c - who needs whom: checked before anything starts, and the order of stopping. */
#include <errno.h>
#include <string.h>

#include "supervisor/supervisor.h"

static bool has(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool meets(const char *const *names, const struct unit *b)
{
    for (; names && *names; names++)
        if (has(b->loaded.plugin.provides, *names))
            return true;
    return false;
}

bool graph_needs(const struct unit *a, const struct unit *b) { return meets(a->loaded.plugin.needs, b); }
bool graph_wants(const struct unit *a, const struct unit *b) { return meets(a->loaded.plugin.wants, b); }

static struct unit *provider(const struct supervisor *s, const char *interface, const struct unit *but)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->units[i] != but && has(s->units[i]->loaded.plugin.provides, interface))
            return s->units[i];
    return NULL;
}

const struct unit *graph_provider(const struct supervisor *s, const char *interface) { return provider(s, interface, NULL); }

static void drop(struct supervisor *s, size_t i)
{
    unit_unload(s->units[i]);
    memmove(&s->units[i], &s->units[i + 1], (s->n - i - 1) * sizeof(s->units[0]));
    s->n--;
}

/* A fallback that somebody else replaces goes; so does an optional one whose needs nobody meets, and then perhaps others. */
static void leave_out(struct supervisor *s)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < s->n && !again; i++) {
            struct unit *u = s->units[i];
            const char *const *p = u->loaded.plugin.provides;

            for (; u->config->fallback && p && *p && !again; p++)
                if (provider(s, *p, u)) {
                    log_line(&s->log, UNIK_INFO, "%s left out: %s provides %s", u->name, provider(s, *p, u)->name, *p);
                    again = true;
                }
            p = u->loaded.plugin.needs;
            for (; !again && u->config->optional && p && *p; p++)
                if (!provider(s, *p, u)) {
                    log_line(&s->log, UNIK_INFO, "%s left out: nobody provides %s", u->name, *p);
                    again = true;
                }
            if (again)
                drop(s, i);
        }
    }
}

/* Follow needs from `at`, looking for a way back to `from`; the chain is written on the way out. */
static bool leads_back(const struct supervisor *s, const struct unit *at, const struct unit *from, unsigned depth,
                       struct unik_text *chain)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct unit *b = s->units[i];

        if (!graph_needs(at, b) || depth > s->n)
            continue;
        if (b == from || leads_back(s, b, from, depth + 1, chain)) {
            char before[400];

            memcpy(before, chain->at, chain->used + 1);
            unik_text_init(chain, chain->at, chain->size);
            unik_text_add(chain, " needs %s%s", b->name, before);
            return true;
        }
    }
    return false;
}

static void check_needs(const struct supervisor *s, struct config *c, const struct unit *u)
{
    for (const char *const *p = u->loaded.plugin.needs; p && *p; p++)
        if (!provider(s, *p, NULL)) {
            char chain[400];
            struct unik_text t;

            unik_text_init(&t, chain, sizeof(chain));
            for (size_t i = 0; i < s->n; i++)
                if (graph_needs(s->units[i], u))
                    unik_text_add(&t, ", which %s needs", s->units[i]->name);
            config_error(c, &u->place, "%s needs %s%s, and no plugin here provides it", u->name, *p, chain);
        }
}

static void check_provides(const struct supervisor *s, struct config *c, size_t i)
{
    for (const char *const *p = s->units[i]->loaded.plugin.provides; p && *p; p++)
        for (size_t k = 0; k < i; k++)
            if (has(s->units[k]->loaded.plugin.provides, *p))
                config_error(c, &s->units[i]->place, "%s and %s both provide %s", s->units[k]->name, s->units[i]->name, *p);
}

int graph_check(struct supervisor *s, struct config *c, bool may_leave_out)
{
    bool cycle = false;
    unsigned before = c->errors;

    if (may_leave_out)
        leave_out(s);
    for (size_t i = 0; i < s->n; i++) {
        char chain[400];
        struct unik_text t;

        check_needs(s, c, s->units[i]);
        check_provides(s, c, i);
        unik_text_init(&t, chain, sizeof(chain));
        if (!cycle && leads_back(s, s->units[i], s->units[i], 0, &t)) {
            config_error(c, &s->units[i]->place, "a cycle: %s%s", s->units[i]->name, chain);
            cycle = true;           /* the others on it are the same mistake */
        }
    }
    return c->errors == before ? 0 : -EINVAL;
}

bool graph_can_start(const struct supervisor *s, const struct unit *u)
{
    for (const char *const *p = u->loaded.plugin.needs; p && *p; p++) {
        const struct unit *b = provider(s, *p, NULL);

        if (!b || !unit_usable(b))
            return false;
    }
    return true;
}

/* Lower goes first. */
static unsigned stop_rank(const struct supervisor *s, const struct unit *u)
{
    unsigned rank = u->loaded.plugin.flags & UNIK_APP ? 0 : u->loaded.plugin.flags & UNIK_STOP_LATE ? 4 : 2;

    for (size_t i = 0; i < s->n; i++)
        if (s->units[i] != u && unit_active(s->units[i]) && graph_wants(s->units[i], u))
            return rank + 1;
    return rank;
}

struct unit *graph_next_to_stop(const struct supervisor *s)
{
    struct unit *best = NULL;

    for (size_t i = 0; i < s->n; i++) {
        struct unit *u = s->units[i];
        bool needed = false;

        if (u->state != UNIT_LEAVING)
            continue;
        for (size_t k = 0; k < s->n; k++)
            needed = needed || (s->units[k] != u && unit_active(s->units[k]) && graph_needs(s->units[k], u));
        if (!needed && (!best || stop_rank(s, u) < stop_rank(s, best)))
            best = u;
    }
    return best;
}
