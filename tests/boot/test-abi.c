/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/abi.h and boot/errno.h have the numbers that the system's headers have. */
#include "boot/linux.h"
#include "tests/boot/abi.h"
#include "tests/common/run.h"

const struct abi_number abi_of_boot[] = {
#define X(name) { #name, (long)(int)(name) },
    NUMBERS
#undef X
    { "FUTEX_PRIVATE", FUTEX_PRIVATE }, { "FUTEX_REALTIME", FUTEX_REALTIME },
    { "reboot", (int)REBOOT_RESTART }, { "power off", (int)REBOOT_POWER_OFF },
    { "halt", (int)REBOOT_HALT }, { "reboot magic", (int)REBOOT_MAGIC1 },
    { "stat", sizeof(struct linux_stat) }, { "stat size", offsetof(struct linux_stat, size) },
    { "stat mtime", offsetof(struct linux_stat, mtime) }, { "stat rdev", offsetof(struct linux_stat, rdev) },
    { "sysinfo unit", offsetof(struct linux_sysinfo, mem_unit) }, { "sysinfo procs", offsetof(struct linux_sysinfo, procs) },
    { "utsname", sizeof(struct linux_utsname) }, { "rusage", sizeof(struct linux_rusage) }, { "tms", sizeof(struct linux_tms) },
    { "epoll_event", sizeof(struct linux_epoll_event) }, { "dirent", offsetof(struct linux_dirent, name) },
    { "open_how", sizeof(struct linux_open_how) }, { "sigaltstack", sizeof(struct linux_sigaltstack) },
    { "termios", sizeof(struct linux_termios) }, { "statfs", sizeof(struct linux_statfs) },
    { "statfs namelen", offsetof(struct linux_statfs, namelen) }, { "itimerspec", sizeof(struct linux_itimerspec) },
    { "pollfd", sizeof(struct linux_pollfd) },
};
const unsigned abi_of_boot_n = sizeof(abi_of_boot) / sizeof(abi_of_boot[0]);

START_TEST(numbers)
{
    ck_assert_uint_eq(abi_of_boot_n, abi_of_system_n);
    for (unsigned i = 0; i < abi_of_boot_n; i++) {
        ck_assert_str_eq(abi_of_boot[i].name, abi_of_system[i].name);
        ck_assert_msg(abi_of_boot[i].value == abi_of_system[i].value, "%s is %ld here, %ld there", abi_of_boot[i].name,
                      abi_of_boot[i].value, abi_of_system[i].value);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("abi");

    tcase_add_test(t, numbers);
    return run_case("boot: abi", t);
}
