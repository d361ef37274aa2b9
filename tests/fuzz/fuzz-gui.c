/* SPDX-License-Identifier: BSD-2-Clause */
/* GUI messages of both sides. First byte: who sends. What may be sent is decoded to the same, has the length of its type, and
 * is nothing that the daemon would not survive; decoding touches nothing behind the body. */
#include <string.h>

#include "protocol/gui.h"
#include "tests/fuzz/must.h"

static uint8_t out[GUI_MESSAGE_MAX], body[GUI_BODY_MAX];

static void check(enum gui_side from, uint32_t version, const struct gui_message *m)
{
    int n = gui_encode(out, sizeof(out), from, version, m);
    struct gui_header h;
    struct gui_message again;

    if (n < 0) {
        must(from == GUI_DAEMON || gui_judge(version, m) >= GUI_FREEZES || m->type == GUI_WMNAME || m->type == GUI_WMCLASS);
        return;
    }
    gui_decode_header(out, &h);
    must(h.type == m->type);
    must(gui_body(from, &h) == n - GUI_HEADER);
    must(gui_decode(from, &h, out + GUI_HEADER, &again) == 0);
    if (from == GUI_AGENT)
        must(gui_judge(version, &again) < GUI_FREEZES);
    if (m->type == GUI_WMNAME)
        must(strcmp(again.u.name.title, m->u.name.title) == 0);
    else if (m->type == GUI_WMCLASS)
        must(strcmp(again.u.wmclass.class_name, m->u.wmclass.class_name) == 0);
    else
        must(memcmp(&again.u, &m->u, sizeof(m->u)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum gui_side from;
    struct gui_header h;
    struct gui_message m;
    uint32_t version;
    int need;

    if (n < 1 + GUI_HEADER)
        return 0;
    from = bytes[0] & 1 ? GUI_DAEMON : GUI_AGENT;
    version = GUI_VERSION_OF(bytes[0] >> 4);
    gui_decode_header(bytes + 1, &h);
    need = gui_body(from, &h);
    must(gui_sends(from, h.type) || need < 0);
    must(strcmp(gui_type_name(h.type), "unknown") != 0 || need < 0);
    if (need < 0)
        return 0;
    must(need <= GUI_BODY_MAX && (uint32_t)need <= h.len);
    if ((size_t)need > n - 1 - GUI_HEADER)
        return 0;
    memset(body, 0xa5, sizeof(body));
    memcpy(body, bytes + 1 + GUI_HEADER, (size_t)need);
    if (gui_decode(from, &h, body, &m) == 0)
        check(from, version, &m);
    return 0;
}
