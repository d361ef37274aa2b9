/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/ask/ask.h - questions and the window that shows them. */
#ifndef APPS_ASK_H
#define APPS_ASK_H

#include <sys/queue.h>
#include <unik/draw.h>
#include <unik/gui.h>
#include <unik/plugin.h>
#include <unik/qrexec.h>

#define ASK_TEXT_MAX 1000               /* bytes of a question */
#define ASK_LINES_MAX 20                /* ... and lines, as they are shown: all of it is seen, or it is not asked */
#define ASK_ANSWER_MAX 1000             /* bytes of an answer */
#define ASK_WAITING_MAX 16              /* questions at once, the one that is shown included */

enum ask_kind { ASK_YES_NO, ASK_LINE, ASK_SECRET };

/* Exit codes: scripts tell by them what happened. */
enum ask_code { ASK_OK = 0, ASK_NO = 1, ASK_TIMEOUT = 2, ASK_REFUSED = 3 };

enum { ASKED, WAITING, ANSWERED, CANCELLED, TIMED_OUT, GIVEN_UP, REFUSED };

struct ask_config {
    double timeout, quiet;
    int64_t size;
};

/* A call, from its start to the answer. text is the caller's: another VM's, hostile. */
struct question {
    TAILQ_ENTRY(question) link;
    struct ask *ask;
    struct unik_qrexec_call *call;
    enum ask_kind kind;
    ev_timer timeout;
    bool complete;                      /* all of the text is there */
    size_t n;
    char text[ASK_TEXT_MAX + 1];        /* cleaned (unik/clean.h) when it is complete */
};

/* The plugin's state. */
struct ask {
    struct unik_ctx *ctx;
    struct unik_gui *gui;
    TAILQ_HEAD(, question) questions;   /* in the order in which they came; the first complete one is shown */
    unsigned waiting;
    struct unik_font *font;
    struct dialog *dialog;              /* NULL: none is shown */
    ev_timer next;                      /* shows the next one, from the loop */
};

/* question.c */
extern unik_qrexec_handler ask_on_yes_no, ask_on_line, ask_on_secret;
/* The end of a question and its call. answer may be NULL; it is written with a newline. */
void ask_answer(struct question *q, enum ask_code code, const char *answer, size_t n);

/* dialog.c: the window of one question, and what the user does in it. It ends the question with ask_answer(). */
int ask_dialog_open(struct question *q, struct dialog **out);
void ask_dialog_close(struct dialog *d);
struct question *ask_dialog_question(struct dialog *d);
/* The title tells how many more wait. */
void ask_dialog_retitle(struct dialog *d);

/* layout.c: where things are in a window of some width. */
struct ask_rect { int x, y, width, height; };
struct ask_layout {
    int height;                         /* needed */
    int margin;
    unsigned n_lines;
    struct { size_t from, n; } lines[ASK_LINES_MAX];
    int text_y;
    struct ask_rect field;              /* of ASK_LINE and ASK_SECRET */
    struct ask_rect buttons[2];         /* yes or OK, no or Cancel */
};
/* Of a window as it is asked for; in a narrower one the rest is not seen. */
int ask_width(const struct ask *a);
/* False: the text has too many lines. */
bool ask_layout(struct ask_layout *l, const struct question *q, struct unik_font *font, int width);

#endif
