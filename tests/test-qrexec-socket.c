/* The socket for local programs: scripted clients, well-behaved and not, against a scripted agent. */
#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugins/qrexec/socket.h"
#include "protocol/cursor.h"
#include "tests/common/fake-call.h"

static struct world w;
static struct qrexec_socket *s;
static char path[108];

/* ---- the agent ---- */

static struct {
    char source[64], target[64], service[65001];    /* of the last trigger */
    qrexec_answer_cb *cb[300];
    void *arg[300];
    uint32_t n, forgotten, released;
    uint32_t domain, port;                          /* of the last release */
    int refuse;                                     /* what qrexec_trigger() gives */
} agent;

int qrexec_trigger(struct qrexec_agent *a, const char *source, const char *target, const char *service, qrexec_answer_cb *cb,
                   void *arg, uint32_t *id)
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

static void answer(uint32_t id, int error, uint32_t domain, uint32_t port)
{
    qrexec_answer_cb *cb = agent.cb[id - 1];

    ck_assert(cb);
    agent.cb[id - 1] = NULL;
    cb(error, domain, port, agent.arg[id - 1]);
}

/* ---- clients ---- */

static void open_socket(void)
{
    memset(&agent, 0, sizeof(agent));
    world_open(&w, false, false);
    snprintf(path, sizeof(path), "%s/agent", w.folder);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, path, QREXEC_SOCKET_MODE, &s), 0);
}

static void close_socket(void)
{
    qrexec_socket_close(s);
    world_close(&w);
}

static int client(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(a.sun_path, path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static bool nobody(void *arg) { (void)arg; return qrexec_socket_clients(s) == 0; }
static bool triggered(void *n) { return agent.n == *(uint32_t *)n; }
static bool forgotten(void *n) { return agent.forgotten == *(uint32_t *)n; }
static bool released(void *n) { return agent.released == *(uint32_t *)n; }
static bool clients(void *n) { return qrexec_socket_clients(s) == *(size_t *)n; }
#define UNTIL(what, n) ck_assert(world_until(&w, what, &(uint32_t){ n }, 20))

static bool ended(void *fd)
{
    char c;

    return recv(*(int *)fd, &c, 1, MSG_PEEK) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void expect_end(int fd)
{
    ck_assert(world_until(&w, ended, &fd, 20));
    close(fd);
}

/* A request as qrexec-client-vm writes it. */
static size_t request(uint8_t *to, size_t size, uint32_t type, const char *source, const char *target, const char *service)
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

static void send_all(int fd, const void *bytes, size_t n) { ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n); }

/* A client whose request has arrived at the agent. */
static int asking(void)
{
    uint8_t bytes[300];
    int fd = client();

    send_all(fd, bytes, request(bytes, sizeof(bytes), QREXEC_TRIGGER4, "", "dom0", "test.Svc+a"));
    UNTIL(triggered, agent.n + 1);
    return fd;
}

/* ---- calls ---- */

START_TEST(accepted)
{
    static const uint32_t types[] = { QREXEC_TRIGGER4, QREXEC_TRIGGER3, QREXEC_TRIGGER2 };
    static const uint8_t reply[] = { 7, 0, 0, 0, 1, 2, 0, 0 };
    uint8_t bytes[300], got[9];

    open_socket();
    for (uint32_t i = 0; i < 3; i++) {
        size_t n = request(bytes, sizeof(bytes), types[i], "other", "@dispvm:x", "test.Svc+a");
        int fd = client();

        for (size_t k = 0; k < n; k++) {
            send_all(fd, bytes + k, 1);
            ev_run(w.ctx->loop, EVRUN_NOWAIT);
        }
        UNTIL(triggered, i + 1);
        ck_assert_str_eq(agent.source, types[i] == QREXEC_TRIGGER4 ? "other" : "");
        ck_assert_str_eq(agent.target, "@dispvm:x");
        ck_assert_str_eq(agent.service, "test.Svc+a");
        answer(i + 1, 0, 7, 513);
        ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 8);
        ck_assert_mem_eq(got, reply, 8);
        host_run(w.h, 0.02);
        ck_assert_uint_eq(agent.released, i);
        close(fd);
        UNTIL(released, i + 1);
        ck_assert_uint_eq(agent.domain, 7);
        ck_assert_uint_eq(agent.port, 513);
    }
    ck_assert_uint_eq(agent.forgotten, 0);
    ck_assert_uint_eq(qrexec_socket_clients(s), 0);
    close_socket();
}
END_TEST

START_TEST(largest_request)
{
    static uint8_t bytes[QREXEC_CONTROL_MAX];
    static char service[QREXEC_SERVICE_MAX + 1];
    size_t n, at = 0;
    int fd;

    open_socket();
    memset(service, 'a', QREXEC_SERVICE_MAX - 1);
    memcpy(service, "s+", 2);
    n = request(bytes, sizeof(bytes), QREXEC_TRIGGER4, "", "dom0", service);
    ck_assert_uint_eq(n, sizeof(bytes));
    fd = client();
    while (at < n) {
        ssize_t k = send(fd, bytes + at, n - at, MSG_NOSIGNAL);

        at += k > 0 ? (size_t)k : 0;
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    }
    UNTIL(triggered, 1);
    ck_assert_str_eq(agent.service, service);
    close(fd);
    UNTIL(forgotten, 1);
    close_socket();
}
END_TEST

START_TEST(refused)
{
    int fd, errors[] = { -EACCES, -ECONNRESET };

    open_socket();
    for (uint32_t i = 0; i < 2; i++) {
        fd = asking();
        answer(agent.n, errors[i], 0, 0);
        expect_end(fd);
    }
    agent.refuse = -ENOTCONN;           /* dom0 is not there */
    fd = client();
    send_all(fd, "\x13\x02\0\0\xa2\0\0\0", 8);
    for (int i = 0; i < 162; i++)
        send_all(fd, i == 160 ? "x" : "", 1);
    expect_end(fd);
    ck_assert_ptr_nonnull(strstr(w.log, "not connected"));
    ck_assert(nobody(NULL) && agent.forgotten == 0 && agent.released == 0);
    close_socket();
}
END_TEST

START_TEST(leaves_early)
{
    int fd;

    open_socket();
    fd = client();                      /* before anything */
    ck_assert(world_until(&w, clients, &(size_t){ 1 }, 20));
    close(fd);
    ck_assert(world_until(&w, nobody, NULL, 20));
    fd = client();                      /* in the middle of the header, and of the body */
    send_all(fd, "\x13\x02", 2);
    host_run(w.h, 0.02);
    close(fd);
    fd = client();
    send_all(fd, "\x13\x02\0\0\xa2\0\0\0abc", 11);
    host_run(w.h, 0.02);
    close(fd);
    ck_assert(world_until(&w, nobody, NULL, 20));
    ck_assert_uint_eq(agent.n, 0);
    fd = asking();                      /* before the answer */
    close(fd);
    UNTIL(forgotten, 1);
    fd = asking();                      /* after it, unread */
    answer(agent.n, 0, 3, 600);
    close(fd);
    UNTIL(released, 1);
    fd = asking();                      /* gone when the answer is written */
    shutdown(fd, SHUT_RD);
    answer(agent.n, 0, 3, 601);
    UNTIL(released, 2);
    close(fd);
    ck_assert_uint_eq(agent.port, 601);
    ck_assert_uint_eq(agent.forgotten, 1);
    ck_assert(nobody(NULL));
    close_socket();
}
END_TEST

START_TEST(garbage)
{
    static const struct { const char *bytes; size_t n; } rows[] = {
        { "GET / HTTP/1.0\r\n\r\n", 18 }, { "\x00\x03\0\0\x04\0\0\0\x04\0\0\0", 12 }, { "\x13\x02\0\0\0\0\0\0", 8 },
        { "\x13\x02\0\0\xff\xff\xff\xff", 8 }, { "\x12\x02\0\0\x89\xfe\0\0", 8 }, { "\x13\x02\0\0\x01\0\0\0x", 9 },
        { "\x10\x02\0\0\x01\0\0\0x", 9 }, { "\x11\x02\0\0\x08\0\0\0\0\0\0\0\x01\x02\0\0", 16 }
    };
    uint8_t bytes[300];
    size_t n;
    int good, fd;

    open_socket();
    good = asking();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        fd = client();
        send_all(fd, rows[i].bytes, rows[i].n);
        expect_end(fd);
    }
    n = request(bytes, sizeof(bytes), QREXEC_TRIGGER4, "", "dom0", "test.Svc");
    for (size_t field = 0; field < 3; field++) {    /* source, target, ident without an end */
        static const size_t at[] = { 8, 72, 136 }, len[] = { 64, 64, 32 };
        uint8_t bad[300];

        memcpy(bad, bytes, n);
        memset(bad + at[field], 'A', len[field]);
        fd = client();
        send_all(fd, bad, n);
        expect_end(fd);
    }
    bytes[n - 1] = 'x';                             /* nor the service */
    fd = client();
    send_all(fd, bytes, n);
    expect_end(fd);
    ck_assert_uint_eq(agent.n, 1);
    ck_assert_uint_eq(qrexec_socket_clients(s), 1);
    answer(1, 0, 0, 513);
    ck_assert_int_eq(recv(good, bytes, sizeof(bytes), 0), 8);
    close(good);
    UNTIL(released, 1);
    close_socket();
}
END_TEST

START_TEST(talks_too_much)
{
    int fd;

    open_socket();
    fd = asking();
    send_all(fd, "more", 4);
    UNTIL(forgotten, 1);
    expect_end(fd);
    fd = asking();
    answer(agent.n, 0, 0, 513);
    send_all(fd, "more", 4);
    UNTIL(released, 1);
    close(fd);
    close_socket();
}
END_TEST

START_TEST(too_slow)
{
    int fd;

    open_socket();
    fd = client();
    send_all(fd, "\x13\x02\0\0", 4);
    host_run(w.h, 2);
    ck_assert_uint_eq(qrexec_socket_clients(s), 1);
    expect_end(fd);
    ck_assert_ptr_nonnull(strstr(w.log, "did not complete"));
    close_socket();
}
END_TEST

/* ---- limits ---- */

START_TEST(one_account_cannot_take_all)
{
    int fd[256], n = 0;

    open_socket();
    for (; n < 192; n++) {
        fd[n] = client();
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    }
    ck_assert(world_until(&w, clients, &(size_t){ 192 }, 20));
    expect_end(client());
    ck_assert_ptr_nonnull(strstr(w.log, "it has 192 already"));
    if (geteuid() == 0) {
        ck_assert_int_eq(seteuid(65534), 0);
        for (; n < 256; n++) {
            fd[n] = client();
            ev_run(w.ctx->loop, EVRUN_NOWAIT);
        }
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert(world_until(&w, clients, &(size_t){ 256 }, 20));
    }
    for (int i = 1; i < n; i++)
        close(fd[i]);
    ck_assert(world_until(&w, clients, &(size_t){ 1 }, 20));
    close(asking());
    UNTIL(forgotten, 1);
    close(fd[0]);
    ck_assert(world_until(&w, nobody, NULL, 20));
    close_socket();
}
END_TEST

START_TEST(waits_when_full)
{
    int fd[257], n = 0;

    if (geteuid() != 0)
        return;
    open_socket();
    for (; n < 257; n++) {
        ck_assert_int_eq(seteuid(n < 128 ? 0 : 65534), 0);
        fd[n] = client();
        ck_assert_int_eq(seteuid(0), 0);
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    }
    host_run(w.h, 0.05);
    ck_assert_uint_eq(qrexec_socket_clients(s), 256);
    close(fd[0]);
    host_run(w.h, 0.05);
    ck_assert_uint_eq(qrexec_socket_clients(s), 256);   /* the one who waited */
    for (int i = 1; i < n; i++)
        close(fd[i]);
    ck_assert(world_until(&w, nobody, NULL, 20));
    close_socket();
}
END_TEST

START_TEST(out_of_descriptors)
{
    struct rlimit limit, low;
    size_t turns = 0;
    int fd;

    open_socket();
    fd = client();
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)dup(0);      /* the lowest free number */
    close((int)low.rlim_cur);
    setrlimit(RLIMIT_NOFILE, &low);
    while (!strstr(w.log, "accept:") && turns++ < 100)
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    host_run(w.h, 0.3);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_ptr_nonnull(strstr(w.log, "accept: Too many open files"));
    ck_assert_ptr_null(strstr(strstr(w.log, "accept:") + 1, "accept:"));    /* once, not again and again */
    ck_assert(world_until(&w, clients, &(size_t){ 1 }, 20));
    close(fd);
    ck_assert(world_until(&w, nobody, NULL, 20));
    close_socket();
}
END_TEST

/* ---- the path ---- */

START_TEST(paths)
{
    struct qrexec_socket *other = NULL;
    char longer[200];
    struct stat st;

    open_socket();
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0666);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, path, 0600, &other), -EADDRINUSE);
    close(asking());                    /* still the first one's */
    UNTIL(forgotten, 1);
    world_file(&w, "file", 0644, "precious");
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, world_path(&w, "file"), 0600, &other), -EEXIST);
    ck_assert_int_eq(access(world_path(&w, "file"), F_OK), 0);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, world_path(&w, "none/x"), 0600, &other), -ENOENT);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, "", 0600, &other), -ENAMETOOLONG);
    memset(longer, 'x', sizeof(longer));
    longer[199] = 0;
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, longer, 0600, &other), -ENAMETOOLONG);
    ck_assert_ptr_null(other);
    close_socket();
}
END_TEST

START_TEST(stale_path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stat st;
    int fd;

    open_socket();
    qrexec_socket_close(s);
    ck_assert_int_eq(access(path, F_OK), -1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(a.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);                          /* a process that died */
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, path, 0600, &s), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    close(asking());
    UNTIL(forgotten, 1);
    unlink(path);                       /* somebody else took the name: not ours to remove */
    world_file(&w, "agent", 0644, "x");
    qrexec_socket_close(s);
    ck_assert_int_eq(access(path, F_OK), 0);
    s = NULL;
    close_socket();
}
END_TEST

START_TEST(closes_everything)
{
    int idle, pending, running;

    open_socket();
    idle = client();
    pending = asking();
    running = asking();
    answer(2, 0, 9, 700);
    qrexec_socket_close(s);
    s = NULL;
    ck_assert_uint_eq(agent.forgotten, 1);
    ck_assert_uint_eq(agent.released, 1);
    ck_assert_uint_eq(agent.port, 700);
    expect_end(idle);
    expect_end(pending);
    close(running);
    ck_assert_int_eq(access(path, F_OK), -1);
    close_socket();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qrexec-socket");
    TCase *t = tcase_create("socket");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, accepted);
    tcase_add_test(t, largest_request);
    tcase_add_test(t, refused);
    tcase_add_test(t, leaves_early);
    tcase_add_test(t, garbage);
    tcase_add_test(t, talks_too_much);
    tcase_add_test(t, too_slow);
    tcase_add_test(t, one_account_cannot_take_all);
    tcase_add_test(t, waits_when_full);
    tcase_add_test(t, out_of_descriptors);
    tcase_add_test(t, paths);
    tcase_add_test(t, stale_path);
    tcase_add_test(t, closes_everything);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
