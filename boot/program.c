/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/program.c - from the image to the program's first instruction: files, arguments, stack. */
#include "boot/linux.h"

#define STACK_SIZE (8ul << 20)          /* RLIMIT_STACK; only what is touched exists */
#define STACK_PLACES (1ul << 22)        /* pages that its top may lie lower */
#define MAP_PLACES (1ul << 24)          /* the same for what mmap() gives */
#define GUARD (1ul << 20)               /* below it, never mapped: a stack that is too small is a fault, not a surprise */
#define ARGUMENTS_MAX 4096u             /* bytes of all arguments, with their NULs */
#define NAME "/init"

static const struct device *const devices[] = {
    &device_null, &device_zero, &device_full, &device_random, &device_urandom, &device_console, &device_tty, &device_xenbus,
    &device_proc_xenbus, &device_evtchn, &device_gntalloc, &device_gntdev,
    &device_privcmd,
};

static void add(int e, const char *what)
{
    if (e < 0)
        panic("%s: error %d", what, -e);
}

static void fill_tree(void)
{
    static const char self[] = NAME;
    int e;

    add(tree_init(), "no memory for files");
    e = tree_add_archive(&boot.files);
    if (e < 0)
        panic("the image's files cannot be used: %s", e == -EINVAL ? "not a whole cpio archive (newc)" : "too many for the memory");
    e = tree_add_archive(&boot.ramdisk);
    if (e < 0)
        panic("the ramdisk cannot be used: %s", e != -EINVAL ? "too many files for the memory" : boot.ramdisk.at[0] == 0x1f ?
              "it is compressed; only a plain cpio archive is read" : "not a whole cpio archive (newc)");
    for (size_t i = 0; i < ARRAY_LENGTH(devices); i++)
        add(tree_add_device(devices[i]), devices[i]->path);
    add(tree_add("proc/self/exe", S_IFLNK | 0777, (struct bytes){ (const uint8_t *)self, sizeof(self) - 1 }), "/proc");
    add(tree_add("proc/cmdline", S_IFREG | 0444,
                 (struct bytes){ (const uint8_t *)boot.command_line, strlen(boot.command_line) }), "/proc");
    tmp_init();
    add(tree_add(NAME, S_IFREG | 0755, boot.program), NAME);
}

/* ---- arguments ---- */

static char arguments[ARGUMENTS_MAX];   /* one after the other, each with its NUL */
static size_t arguments_size;
static unsigned arguments_n;

static void add_argument(const char *at, size_t n)
{
    if (arguments_n == PROGRAM_ARGS_MAX || n + 1 > sizeof(arguments) - arguments_size)
        panic("bad command line: more than %u words or %u bytes", PROGRAM_ARGS_MAX, ARGUMENTS_MAX);
    memcpy(arguments + arguments_size, at, n);
    arguments_size += n;
    arguments[arguments_size++] = 0;
    arguments_n++;
}

static size_t word_length(const char *s)
{
    size_t n = 0;

    while (s[n] && s[n] != ' ')
        n++;
    return n;
}

/* argv[0], as Linux takes it from the same word. Programs that are many programs (busybox) look at it. */
static void add_name(void)
{
    const char *name = kernel_option("rdinit=");

    name = name ? name : NAME;
    add_argument(name, word_length(name));
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

/* Words; in "..." spaces belong to a word, and the quotes go. after_dashes: only what follows a lone "--". */
static void add_words(const char *at, size_t size, bool after_dashes)
{
    const char *end = at + strnlen(at, size);
    char word[LINUX_PATH_MAX];

    while (at < end) {
        size_t n = 0;
        bool quoted = false;

        if (is_space(*at)) {
            at++;
            continue;
        }
        for (; at < end && (quoted || !is_space(*at)); at++)
            if (*at == '"')
                quoted = !quoted;
            else if (n < sizeof(word))
                word[n++] = *at;
        if (quoted)
            panic("bad command line: a \" is missing");
        if (!after_dashes)
            add_argument(word, n);
        else if (n == 2 && memcmp(word, "--", 2) == 0)
            after_dashes = false;
    }
}

/* ---- the stack, as the System V ABI for x86-64 has it: 3.4.1 ---- */

static const char *const environment[] = { "HOME=/", "PATH=/bin:/sbin", "TERM=dumb" };

/* Words of the stack: argc, argv, NULL, environment, NULL, pairs of the auxiliary vector, the last of them AT_NULL. */
#define AUXILIARY 19u
static uint64_t words[1 + PROGRAM_ARGS_MAX + 1 + ARRAY_LENGTH(environment) + 1 + 2 * AUXILIARY];
static size_t words_n;

static uint64_t stack;                  /* where the next string goes: below */

static uint64_t push(const void *bytes, size_t n)
{
    stack -= n;
    if (user_out(stack, bytes, n) < 0)
        panic("no memory for the program's stack");
    return stack;
}

static void put(uint64_t word)
{
    words[words_n++] = word;
}

static void put_pair(uint64_t type, uint64_t value)
{
    put(type);
    put(value);
}

static uint64_t fill_stack(const struct program *p)
{
    uint8_t chance[16];
    uint64_t top = USER_STACK_TOP - random_place(STACK_PLACES), name, platform, chance_at, at;

    if (user_map(USER_FIXED_NEW, top - STACK_SIZE, STACK_SIZE, USER_READ | USER_WRITE | USER_LAZY, NULL) < 0 ||
        user_map(USER_FIXED_NEW, top - STACK_SIZE - GUARD, GUARD, 0, NULL) < 0)
        panic("no memory for the program's stack");
    stack = top - random_place(PAGE) / PAGE;    /* nor does it begin at a page's end */
    random_bytes(chance, sizeof(chance));
    name = push(NAME, sizeof(NAME));
    platform = push("x86_64", sizeof("x86_64"));
    chance_at = push(chance, sizeof(chance));
    at = push(arguments, arguments_size);
    put(arguments_n);
    for (size_t i = 0; i < arguments_size; i += strlen(arguments + i) + 1)
        put(at + i);
    put(0);
    for (size_t i = 0; i < ARRAY_LENGTH(environment); i++)
        put(push(environment[i], strlen(environment[i]) + 1));
    put(0);
    put_pair(AT_PHDR, p->phdr);
    put_pair(AT_PHENT, p->phent);
    put_pair(AT_PHNUM, p->phnum);
    put_pair(AT_PAGESZ, PAGE);
    put_pair(AT_BASE, 0);
    put_pair(AT_FLAGS, 0);
    put_pair(AT_ENTRY, p->entry);
    put_pair(AT_UID, 0);
    put_pair(AT_EUID, 0);
    put_pair(AT_GID, 0);
    put_pair(AT_EGID, 0);
    put_pair(AT_HWCAP, 0);
    put_pair(AT_CLKTCK, 100);
    put_pair(AT_SECURE, 0);
    put_pair(AT_RANDOM, chance_at);
    put_pair(AT_EXECFN, name);
    put_pair(AT_PLATFORM, platform);
    if (!boot.tsc_emulated)
        put_pair(AT_SYSINFO_EHDR, vdso_map());
    put_pair(AT_NULL, 0);
    stack = (stack - words_n * sizeof(words[0])) & ~15ul;
    if (user_out(stack, words, words_n * sizeof(words[0])) < 0)
        panic("no memory for the program's stack");
    return stack;
}

/* 0, 1, 2: the console. */
static void open_console(void)
{
    struct file *f;
    int e = file_open_path("/dev/console", O_RDWR, &f);

    if (e < 0)
        panic("no console: error %d", -e);
    for (unsigned i = 0; i < 3; i++) {
        file_get(f);
        if (fd_new(f, 0) < 0)
            panic("no memory for the program");
    }
    file_put(f);
}

void linux_start(void)
{
    struct program p;
    const char *wrong;

    random_init();
    process_init();
    fill_tree();
    open_console();
    add_name();
    add_words((const char *)boot.default_command_line.at, boot.default_command_line.size, false);
    add_words(boot.command_line, sizeof(boot.command_line), true);
    user_map_below(USER_MAP_TOP - random_place(MAP_PLACES));
    wrong = elf_load(&boot.program, &p);
    if (wrong)
        panic("the program cannot be run: %s", wrong);
    user_enter(p.entry, fill_stack(&p));
}
