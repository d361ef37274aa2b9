/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-config.c - the text of a service config: "key = value" lines.
 *
 * Written by the VM's administrator. A text that cannot be understood fails the call: a forgotten force-user or
 * wait-for-session must not be taken for "none".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/exec-parts.h"

enum type { IS_BOOL, IS_INTEGER, IS_STRING };

struct value {
    enum type type;
    bool truth;
    unsigned long long number;
    const char *string;
    size_t len;
};

struct line {
    const char *at, *end;
    unsigned number;
    struct unik_text *said;
};

static bool is_space(char c) { return c == ' ' || c == '\t'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_key(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; }

static int bad(const struct line *l, const char *what)
{
    unik_text_add(l->said, "line %u: %s", l->number, what);
    return -EINVAL;
}

static void skip_space(struct line *l)
{
    while (l->at < l->end && is_space(*l->at))
        l->at++;
}

static bool take_word(struct line *l, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(l->end - l->at) < n || memcmp(l->at, word, n) != 0)
        return false;
    l->at += n;
    return true;
}

/* Decimal, without leading zeros. */
static int take_integer(struct line *l, struct value *v)
{
    const char *from = l->at;

    v->type = IS_INTEGER;
    v->number = 0;
    for (; l->at < l->end && is_digit(*l->at); l->at++) {
        if (v->number > (ULLONG_MAX - 9) / 10)
            return bad(l, "number too large");
        v->number = v->number * 10 + (unsigned)(*l->at - '0');
    }
    return *from == '0' && l->at > from + 1 ? bad(l, "number with a leading zero") : 0;
}

static int take_string(struct line *l, struct value *v)
{
    const char *close = memchr(l->at + 1, '\'', (size_t)(l->end - l->at - 1));

    if (!close)
        return bad(l, "string without its closing quote");
    if (close == l->at + 1 && close + 1 < l->end && close[1] == '\'')
        return bad(l, "triple quotes");
    v->type = IS_STRING;
    v->string = l->at + 1;
    v->len = (size_t)(close - v->string);
    l->at = close + 1;
    return 0;
}

static int take_value(struct line *l, struct value *v)
{
    int e = 0;

    if (l->at == l->end)
        return bad(l, "no value");
    if (is_digit(*l->at))
        e = take_integer(l, v);
    else if (*l->at == '\'')
        e = take_string(l, v);
    else if (take_word(l, "true"))
        *v = (struct value){ .type = IS_BOOL, .truth = true };
    else if (take_word(l, "false"))
        *v = (struct value){ .type = IS_BOOL, .truth = false };
    else
        return bad(l, "a value is true, false, a number or 'quoted'");
    if (e < 0)
        return e;
    skip_space(l);
    return l->at == l->end || *l->at == '#' ? 0 : bad(l, "something follows the value");
}

static int set_bool(const struct line *l, const struct value *v, bool *to)
{
    if (v->type != IS_BOOL)
        return bad(l, "must be true or false");
    *to = v->truth;
    return 0;
}

static int set_wait(const struct line *l, const struct value *v, struct qrexec_service_config *c)
{
    if (v->type != IS_INTEGER)
        return set_bool(l, v, &c->wait_for_session);
    if (v->number > 1)
        return bad(l, "must be true, false, 0 or 1");
    c->wait_for_session = v->number == 1;
    return 0;
}

static int set_user(const struct line *l, const struct value *v, struct qrexec_service_config *c)
{
    if (v->type != IS_STRING)
        return bad(l, "must be a 'quoted' user name");
    if (v->len == 0 || v->len >= sizeof(c->force_user))
        return bad(l, "user name empty or too long");
    memcpy(c->force_user, v->string, v->len);
    c->force_user[v->len] = 0;
    return 0;
}

static int set(const struct line *l, const char *key, size_t len, const struct value *v, unsigned *seen,
               struct qrexec_service_config *c)
{
    static const char *const keys[] = { "wait-for-session", "force-user", "skip-service-descriptor",
                                        "exit-on-client-eof", "exit-on-service-eof" };
    size_t i = 0;

    while (i < 5 && (strlen(keys[i]) != len || memcmp(keys[i], key, len) != 0))
        i++;
    if (i == 5) {
        unik_text_add(l->said, "%sline %u: key %.*s means nothing here", l->said->used ? "; " : "", l->number,
                      (int)(len < 64 ? len : 64), key);
        return 0;
    }
    if (*seen & 1u << i)
        return bad(l, "key given twice");
    *seen |= 1u << i;
    switch (i) {
    case 0: return set_wait(l, v, c);
    case 1: return set_user(l, v, c);
    case 2: return set_bool(l, v, &c->skip_descriptor);
    case 3: return set_bool(l, v, &c->exit_on_client_eof);
    default: return set_bool(l, v, &c->exit_on_service_eof);
    }
}

static int parse_line(struct line *l, unsigned *seen, struct qrexec_service_config *c)
{
    const char *key = l->at;
    struct value v = { 0 };
    size_t len;
    int e;

    if (memchr(l->at, 0, (size_t)(l->end - l->at)))
        return bad(l, "NUL byte");
    if (l->at == l->end || *l->at == '#')
        return 0;
    if (!is_letter(*key))
        return bad(l, is_space(*key) ? "space before the key" : "a key begins with a letter");
    while (l->at < l->end && is_key(*l->at))
        l->at++;
    len = (size_t)(l->at - key);
    skip_space(l);
    if (l->at == l->end || *l->at != '=')
        return bad(l, "no = after the key");
    l->at++;
    skip_space(l);
    e = take_value(l, &v);
    return e < 0 ? e : set(l, key, len, &v, seen, c);
}

int qrexec_config_parse(const char *text, size_t n, struct qrexec_service_config *c, struct unik_text *said)
{
    const char *at = text, *end = text + n;
    unsigned number = 1, seen = 0;
    int e;

    *c = (struct qrexec_service_config){ 0 };
    for (; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct line l = { .at = at, .end = newline ? newline : end, .number = number, .said = said };

        at = newline ? newline + 1 : end;
        if (newline && l.end > l.at && l.end[-1] == '\r')
            l.end--;
        while (l.end > l.at && is_space(l.end[-1]))
            l.end--;
        e = parse_line(&l, &seen, c);
        if (e < 0)
            return e;
    }
    if (*c->force_user && (c->skip_descriptor || c->exit_on_client_eof || c->exit_on_service_eof)) {
        unik_text_add(said, "force-user does not go together with skip-service-descriptor, exit-on-client-eof or "
                      "exit-on-service-eof");
        return -EINVAL;
    }
    return 0;
}
