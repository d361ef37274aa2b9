/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/main.c - the boot as a story: pv.c or pvh.c has made the domain's memory usable, the rest is the same for both. */
#include "boot/image.h"
#include "boot/machine.h"

const struct machine *machine;
struct machine_start machine_start;
struct boot boot;
struct image boot_image;

static struct bytes part(enum image_part p) { return (struct bytes){boot_image.part[p].at, boot_image.part[p].size}; }

const char *kernel_option(const char *key)
{
    size_t n = strlen(key);

    for (const char *at = boot.command_line; *at;) {
        size_t word = 0;

        while (at[word] && at[word] != ' ')
            word++;
        if (word == 2 && memcmp(at, "--", 2) == 0)
            break;
        if (word >= n && memcmp(at, key, n) == 0)
            return at + n;
        at += word;
        while (*at == ' ')
            at++;
    }
    return NULL;
}

static bool is_word(const char *at, const char *word)
{
    size_t n = strlen(word);

    return strncmp(at, word, n) == 0 && (at[n] == 0 || at[n] == ' ');
}

static void read_options(void)
{
    const char *v = kernel_option("kernel.on-failure="), *aslr = kernel_option("kernel.aslr=");

    boot.places_by_chance = !aslr || is_word(aslr, "on");
    if (aslr && !boot.places_by_chance && !is_word(aslr, "off"))
        panic("bad command line: kernel.aslr is on or off");
    boot.on_failure = POWER_CRASH;
    if (!v || is_word(v, "crash"))
        return;
    if (is_word(v, "restart"))
        boot.on_failure = POWER_REBOOT;
    else if (is_word(v, "poweroff"))
        boot.on_failure = POWER_OFF;
    else
        panic("bad command line: kernel.on-failure is crash, restart or poweroff");
}

void find_image(size_t space)
{
    const char *wrong = image_read(&boot_image, image_start, space);

    if (wrong)
        panic("the image is unusable: %s", wrong);
    boot.program = part(IMAGE_PROGRAM);
    boot.files = part(IMAGE_FILES);
    boot.default_command_line = part(IMAGE_COMMAND_LINE);
}

void kernel_main(void)
{
    event_init();
    time_init();
    console_init();
    read_options();
    if (!machine_start.store)
        panic("the domain has no xenstore: what it was told at its start names no page for that");
    grant_init();
    xenbus_init();
    say("%s guest, %lu kB free%s", boot.pvh ? "PVH" : "PV", pages_left() * 4, boot.tsc_emulated ? ", rdtsc is emulated" : "");
    linux_start();
}
