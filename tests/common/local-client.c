/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/local-client.c - see local-client.h */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/cursor.h"
#include "tests/common/local-client.h"

struct world w;
struct qrexec_socket *s;
char path[108];

/* ---- the agent ---- */

struct fake_agent agent;

int qrexec_trigger(struct qrexec_agent *a, const char *source, const char *target, const char *service,
                   qrexec_answer_cb *cb, void *arg, uint32_t *id)
{
    (void)a;
    if (agent.refuse)
        return agent.refuse;
    snprintf(agent.source, sizeof(agent.source), "%s", source);
    snprintf(agent.target, sizeof(agent.target), "%s", target);
    snprintf(agent.service, sizeof(agent.service), "%s", service);
    agent.cb[agent.n] = cb;
    agent.arg[agent.n] = arg;
    *id = ++agent.n;
    return 0;
}

void qrexec_forget(struct qrexec_agent *a, uint32_t id)
{
    (void)a;
    ck_assert(id >= 1 && id <= agent.n && agent.cb[id - 1]);
    agent.cb[id - 1] = NULL;
    agent.forgotten++;
}

void qrexec_release(struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    (void)a;
    agent.released++;
    agent.domain = domain;
    agent.port = port;
}

void answer(uint32_t n, int error, uint32_t domain, uint32_t port)
{
    qrexec_answer_cb *cb = agent.cb[n - 1];

    ck_assert(cb);
    agent.cb[n - 1] = NULL;
    cb(error, domain, port, agent.arg[n - 1]);
}

/* ---- clients ---- */

void open_socket(void)
{
    memset(&agent, 0, sizeof(agent));
    world_open(&w, false, false);
    snprintf(path, sizeof(path), "%s/agent", w.folder);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, path, QREXEC_SOCKET_MODE, &s), 0);
}

void close_socket(void)
{
    qrexec_socket_close(s);
    world_close(&w);
}

int client(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(a.sun_path, path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

bool nobody(void *arg) { (void)arg; return qrexec_socket_clients(s) == 0; }
bool triggered(void *n) { return agent.n == *(uint32_t *)n; }
bool forgotten(void *n) { return agent.forgotten == *(uint32_t *)n; }
bool released(void *n) { return agent.released == *(uint32_t *)n; }
bool clients(void *n) { return qrexec_socket_clients(s) == *(size_t *)n; }

static bool ended(void *fd)
{
    char c;

    return recv(*(int *)fd, &c, 1, MSG_PEEK) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void expect_end(int fd)
{
    ck_assert(world_until(&w, ended, &fd, 300));
    close(fd);
}

/* A request as qrexec-client-vm writes it. */
size_t request(uint8_t *to, size_t size, uint32_t type, const char *source, const char *target, const char *service)
{
    struct writer wr;
    size_t body = strlen(service) + 1 + (type == QREXEC_TRIGGER4 ? 160 : 96);

    writer_init(&wr, to, size);
    writer_u32(&wr, type);
    writer_u32(&wr, type == QREXEC_TRIGGER2 ? 128 : (uint32_t)body);
    if (type == QREXEC_TRIGGER2) {
        writer_string(&wr, service, 64);
        writer_string(&wr, target, 32);
        writer_string(&wr, "SOCKET", 32);
        return writer_done(&wr);
    }
    if (type == QREXEC_TRIGGER4)
        writer_string(&wr, source, 64);
    writer_string(&wr, target, 64);
    writer_string(&wr, "SOCKET", 32);
    writer_bytes(&wr, service, strlen(service) + 1);
    return writer_done(&wr);
}

void send_all(int fd, const void *bytes, size_t n) { ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n); }

/* A client whose request has arrived at the agent. */
int asking(void)
{
    uint8_t bytes[300];
    int fd = client();

    send_all(fd, bytes, request(bytes, sizeof(bytes), QREXEC_TRIGGER4, "", "dom0", "test.Svc+a"));
    UNTIL(triggered, agent.n + 1);
    return fd;
}
