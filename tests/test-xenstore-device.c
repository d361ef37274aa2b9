/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin xenstore on a xenbus device, played by a pseudo terminal in raw mode with the scripted xenstored behind
 * it. This program's own write() sees each call on it, and answers as Linux's device does in its bad moments. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/xenstore.h"
#include "tests/common/store.h"

static struct store t;
static char place[64];
static dev_t device;
static unsigned writes, broken_up;
static int refuse_type, refuse_error, refuse_times;
static size_t piece;                    /* take no more of a message at once */
static size_t left;                     /* bytes to come of the message that went in part */

ssize_t write(int fd, const void *bytes, size_t n);

/* On the device: one message a call, no more and no less, but for what a short write left over. */
ssize_t write(int fd, const void *bytes, size_t n)
{
    struct xenstore_header h;
    struct stat st;
    ssize_t k;

    if (!device || fstat(fd, &st) < 0 || st.st_rdev != device)
        return syscall(SYS_write, fd, bytes, n);
    writes++;
    if (!left) {
        broken_up += xenstore_decode_header(bytes, &h) < 0 || n != XENSTORE_HEADER + h.len;
        if (refuse_times && (!refuse_type || (uint32_t)refuse_type == h.type)) {
            refuse_times--;
            errno = refuse_error;
            return -1;
        }
        left = n;
    }
    broken_up += n != left;
    k = syscall(SYS_write, fd, bytes, piece && n > piece ? piece : n);
    if (k > 0)
        left -= (size_t)k;
    return k;
}

static void open_device(const char *const *options)
{
    char option[80];
    const char *all[8] = { option };
    struct termios raw;
    struct stat st;
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), slave;

    store_init(&t, NULL);
    t.fds--;                            /* the master was opened before, and is the server's to close */
    ck_assert(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 && ptsname_r(fd, place, sizeof(place)) == 0);
    slave = open(place, O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert(slave >= 0 && fstat(slave, &st) == 0 && tcgetattr(slave, &raw) == 0);
    cfmakeraw(&raw);
    ck_assert_int_eq(tcsetattr(slave, TCSANOW, &raw), 0);
    xenstored_adopt(t.s, fd);
    snprintf(option, sizeof(option), "device=%s", place);
    for (int i = 0; options && options[i]; i++)
        all[i + 1] = options[i];
    t.ctx = host_add(t.h, &unik_plugin_xenstore, all);
    device = st.st_rdev;
    ck_assert_int_eq(host_start(t.ctx), 0);
    close(slave);
    ck_assert(host_wait(t.ctx, HOST_READY, STORE_SECONDS));
    t.x = host_interface(t.h, "xenstore/1");
    xenstored_seen(t.s);
}

static void close_device(void)
{
    if (host_state(t.ctx) != HOST_STOPPED)
        host_stop_wait(t.ctx, STORE_SECONDS);
    device = 0;
    ck_assert_uint_eq(broken_up, 0);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 0);
    ck_assert_uint_eq(xenstored_counts(t.s).transactions, 0);
    xenstored_hang_up(t.s);
    store_close(&t);
}

START_TEST(one_message_a_write)
{
    struct answer a[20] = { 0 };
    struct store_fired f = { 0 };

    open_device(NULL);
    ck_assert_int_eq(t.x->domid(t.x), STORE_DOMID);
    writes = 0;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a[i]), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(store_wait(&t, &a[i]), 0);
    ck_assert_uint_eq(writes, 20);
    store_watch(&t, "data", &f);
    xenstored_set(t.s, "data/x", "1");
    store_wait_fired(&t, &f, 2);
    store_begin(&t);
    close_device();
}
END_TEST

static bool one_held(struct store *s) { return xenstored_held(s->s) == 1; }

/* Linux's device mixes up two requests at a time, and never comes back from writing a WATCH while a reply is due. */
START_TEST(one_request_at_a_time)
{
    struct answer a = { 0 }, b = { 0 }, c = { 0 };
    struct unik_xenstore_watch *w;
    struct store_fired f = { 0 };

    open_device(NULL);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "domid", store_answered, &c), 0);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &f, &w), 0);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/x", "1", 1, store_answered, &b), 0);
    ck_assert(store_until(&t, one_held));
    host_run(t.h, 0.05);
    ck_assert_str_eq(xenstored_seen(t.s), "READ");
    xenstored_hold(t.s, false);
    xenstored_release(t.s, 1, false);
    ck_assert_int_eq(store_wait(&t, &b), 0);
    ck_assert_str_eq(xenstored_seen(t.s), "READ WATCH WRITE");
    store_wait_fired(&t, &f, 2);
    ck_assert_str_eq(c.value, "7");
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    ck_assert(store_until(&t, one_held));
    t.x->unwatch(t.x, w);
    host_run(t.h, 0.05);
    ck_assert_str_eq(xenstored_seen(t.s), "READ");
    xenstored_hold(t.s, false);
    xenstored_release(t.s, 1, false);
    ck_assert_int_eq(store_read(&t, 0, "name", &b), 0);
    ck_assert_str_eq(xenstored_seen(t.s), "UNWATCH READ");
    close_device();
}
END_TEST

START_TEST(a_message_taken_in_pieces)
{
    struct answer a;

    open_device(NULL);
    piece = 5;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(store_write(&t, 0, "data/some/path", "a value"), 0);
    ck_assert_int_eq(store_read(&t, 0, "data/some/path", &a), 0);
    ck_assert_str_eq(a.value, "a value");
    close_device();
}
END_TEST

START_TEST(no_room_for_a_while)
{
    struct answer a;

    open_device(NULL);
    refuse_error = EAGAIN;
    refuse_times = 3;
    ck_assert_int_eq(store_write(&t, 0, "data/x", "1"), 0);
    ck_assert_int_eq(refuse_times, 0);
    refuse_error = EINTR;
    refuse_times = 2;
    ck_assert_int_eq(store_read(&t, 0, "data/x", &a), 0);
    close_device();
}
END_TEST

START_TEST(a_refused_message_is_one_failed_request)
{
    static const int errors[] = { EINVAL, ENOENT, EACCES, ENOMEM, EIO };
    struct answer a[3];
    struct unik_xenstore_watch *w;
    struct store_fired f = { 0 };

    open_device(NULL);
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        memset(a, 0, sizeof(a));
        refuse_type = XENSTORE_DIRECTORY;
        refuse_error = errors[i];
        refuse_times = 1;
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a[0]), 0);
        ck_assert_int_eq(t.x->directory(t.x, NULL, 0, "data", store_answered, &a[1]), 0);
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a[2]), 0);
        ck_assert_int_eq(store_wait(&t, &a[1]), -errors[i]);
        ck_assert_int_eq(store_wait(&t, &a[0]), 0);
        ck_assert_int_eq(store_wait(&t, &a[2]), 0);
    }
    refuse_type = XENSTORE_WATCH;       /* xenstored's own error, by way of the kernel */
    refuse_error = EACCES;
    refuse_times = 1;
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &f, &w), 0);
    ck_assert_int_eq(store_read(&t, 0, "name", &a[0]), 0);
    ck_assert_ptr_nonnull(strstr(t.last, "watch data: Permission denied"));
    t.x->unwatch(t.x, w);
    ck_assert_int_eq(host_state(t.ctx), HOST_READY);
    close_device();
}
END_TEST

START_TEST(messages_over_a_page_are_refused_here)
{
    static const char value[4096];
    struct answer a = { 0 };

    open_device(NULL);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/x", value, 4096 - 16 - 7, store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/x", value, 4096 - 16 - 6, store_answered, &a), -E2BIG);
    close_device();
}
END_TEST

static bool is_failed(struct store *s) { return host_state(s->ctx) == HOST_FAILED; }

START_TEST(a_device_that_breaks_is_a_failure)
{
    struct answer a = { 0 };

    open_device(NULL);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    host_run(t.h, 0.01);
    xenstored_hang_up(t.s);
    ck_assert_int_eq(store_wait(&t, &a), -ECONNRESET);
    ck_assert(store_until(&t, is_failed));
    ck_assert_ptr_nonnull(strstr(host_reason(t.ctx), place));
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), -ENOTCONN);
    close_device();
}
END_TEST

START_TEST(a_device_that_cannot_be_written_is_a_failure)
{
    struct answer a = { 0 };

    open_device(NULL);
    refuse_type = 0;
    refuse_error = ENODEV;
    refuse_times = 1;
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), -ECONNRESET);
    ck_assert(store_until(&t, is_failed));
    close_device();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-device");
    TCase *c = tcase_create("device");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 900);
    tcase_add_test(c, one_message_a_write);
    tcase_add_test(c, one_request_at_a_time);
    tcase_add_test(c, a_message_taken_in_pieces);
    tcase_add_test(c, no_room_for_a_while);
    tcase_add_test(c, a_refused_message_is_one_failed_request);
    tcase_add_test(c, messages_over_a_page_are_refused_here);
    tcase_add_test(c, a_device_that_breaks_is_a_failure);
    tcase_add_test(c, a_device_that_cannot_be_written_is_a_failure);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
