/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/pack.c - unik-pack: a kernel, a program and files become one file that Xen boots. Called by unik-image, which
 * links the program; unik-image(1) tells what a user needs to know. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-image/describe.h"
#include "tools/unik-image/files.h"
#include "tools/unik-image/names.h"
#include "tools/unik-image/payload.h"

#define EXIT_USAGE 2

/* What a PV guest's start_info can hold, less what the VM adds. */
#define COMMAND_LINE_MAX 512

struct job {
    const char *kernel, *program, *output;
    struct bytes parts[IMAGE_PARTS];
    struct files *files;
};

static void usage(FILE *to)
{
    fprintf(to, "usage: unik-pack --kernel FILE --program FILE --output FILE [--command-line WORDS] [--notes FILE] [--add FROM=TO]...\n"
                "       unik-pack --kernel FILE [--command-line WORDS] [--add FROM=TO]...   only looks whether these are good\n"
                "       unik-pack --describe IMAGE | --cat IMAGE PATH\n");
}

static int complain(const char *about, const char *what)
{
    fprintf(stderr, "unik-image: %s: %s\n", about, what);
    return -1;
}

static int read_elf(const char *path, struct bytes *bytes, struct elf *e)
{
    int error = bytes_read_file(bytes, path);
    const char *wrong = error ? strerror(-error) : elf_read(e, bytes->at, bytes->size);

    return wrong ? complain(path, wrong) : 0;
}

static int write_all(int fd, const struct bytes *bytes)
{
    for (size_t done = 0; done < bytes->size;) {
        ssize_t n = write(fd, bytes->at + done, bytes->size - done);

        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Beside its place under a name that nobody has, then over it: an image that is there is whole, and what is no file stays. */
static int write_file(const char *path, const struct bytes *bytes)
{
    char *beside = NULL;
    struct stat st;
    int fd, e;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return complain(path, "is there, and not a file");
    if (asprintf(&beside, "%s.XXXXXX", path) < 0)
        return complain(path, strerror(ENOMEM));
    fd = mkostemp(beside, O_CLOEXEC);
    e = fd < 0 ? complain(path, strerror(errno)) : 0;
    if (e == 0 && (write_all(fd, bytes) < 0 || fchmod(fd, 0644) < 0 || rename(beside, path) < 0)) {
        e = complain(path, strerror(errno));
        unlink(beside);
    }
    if (fd >= 0)
        close(fd);
    free(beside);
    return e;
}

/* No interpreter and no library: nothing would load them. */
static int check_program(const char *path, const struct elf *e)
{
    if (e->head.e_type != ET_EXEC && e->head.e_type != ET_DYN)
        return complain(path, "not a program");
    for (unsigned i = 0; i < e->n; i++)
        if (e->segments[i].p_type == PT_INTERP)
            return complain(path, "not linked statically");
    return 0;
}

/* What can be said before there is a program. */
static int check(struct job *job)
{
    struct bytes kernel_bytes = { 0 }, files = { 0 };
    struct elf kernel;
    int e = read_elf(job->kernel, &kernel_bytes, &kernel) < 0 || files_write(job->files, &files) < 0 ? -1 : 0;

    bytes_free(&kernel_bytes);
    bytes_free(&files);
    return e;
}

static int pack(struct job *job)
{
    struct bytes kernel_bytes = { 0 }, program_bytes = { 0 }, payload = { 0 }, out = { 0 };
    struct elf kernel, program;
    const char *wrong;
    int result = -1;

    if (read_elf(job->kernel, &kernel_bytes, &kernel) < 0 || read_elf(job->program, &program_bytes, &program) < 0 ||
        check_program(job->program, &program) < 0 || files_write(job->files, &job->parts[IMAGE_FILES]) < 0)
        goto out;
    if (payload_strip(&job->parts[IMAGE_PROGRAM], &program) < 0 || names_add(&job->parts[IMAGE_PROGRAM_NAMES], &program) < 0 ||
        names_add(&job->parts[IMAGE_KERNEL_NAMES], &kernel) < 0 || payload_build(&payload, job->parts) < 0) {
        complain(job->output, "out of memory, or larger than 256 MiB");
        goto out;
    }
    wrong = payload_attach(&out, &kernel, &payload);
    if (wrong)
        complain(job->kernel, wrong);
    else
        result = write_file(job->output, &out);
out:
    bytes_free(&kernel_bytes);
    bytes_free(&program_bytes);
    bytes_free(&payload);
    bytes_free(&out);
    return result;
}

static int add(struct job *job, const char *word)
{
    const char *to = strrchr(word, '=');
    char *from = to ? strndup(word, (size_t)(to - word)) : NULL;
    int e = from ? files_add(job->files, from, to + 1) : complain(word, "expected FROM=TO");

    free(from);
    return e;
}

static int add_text(struct job *job, enum image_part part, const char *text, size_t n)
{
    if (memchr(text, 0, n))
        return complain("notes", "a zero byte in a text");
    bytes_add(&job->parts[part], text, n);
    bytes_zeros(&job->parts[part], 1);
    return 0;
}

static int add_notes(struct job *job, const char *path)
{
    struct bytes text = { 0 };
    int e = bytes_read_file(&text, path);

    e = e ? complain(path, strerror(-e)) : text.size ? add_text(job, IMAGE_NOTES, (const char *)text.at, text.size) : 0;
    bytes_free(&text);
    return e;
}

static int show(const char *path, const char *file)
{
    struct bytes bytes = { 0 };
    int e = bytes_read_file(&bytes, path);
    const char *wrong = e ? strerror(-e) : file ? describe_file(stdout, bytes.at, bytes.size, file)
                                                : describe_image(stdout, bytes.at, bytes.size);

    bytes_free(&bytes);
    errno = 0;
    if (!wrong && (fflush(stdout) != 0 || ferror(stdout)))
        return complain("standard output", strerror(errno ? errno : EIO));
    return wrong ? complain(path, wrong) : 0;
}

int main(int argc, char **argv)
{
    enum { KERNEL = 256, PROGRAM, OUTPUT, COMMAND_LINE, NOTES, ADD, DESCRIBE, CAT };
    static const struct option options[] = {
        { "kernel", required_argument, NULL, KERNEL }, { "program", required_argument, NULL, PROGRAM },
        { "output", required_argument, NULL, OUTPUT }, { "command-line", required_argument, NULL, COMMAND_LINE },
        { "notes", required_argument, NULL, NOTES },   { "add", required_argument, NULL, ADD },
        { "describe", required_argument, NULL, DESCRIBE }, { "cat", required_argument, NULL, CAT }, { NULL, 0, NULL, 0 }
    };
    const char *describe = NULL, *cat = NULL;
    struct job job = { .files = files_new() };
    int o, result = job.files ? 0 : complain("files", strerror(ENOMEM));

    while (result == 0 && (o = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (o) {
        case KERNEL:
            job.kernel = optarg;
            break;
        case PROGRAM:
            job.program = optarg;
            break;
        case OUTPUT:
            job.output = optarg;
            break;
        case COMMAND_LINE:
            if (strlen(optarg) > COMMAND_LINE_MAX)
                result = complain("command line", "longer than 512 bytes");
            else if (*optarg)
                result = add_text(&job, IMAGE_COMMAND_LINE, optarg, strlen(optarg));
            break;
        case NOTES:
            result = add_notes(&job, optarg);
            break;
        case ADD:
            result = add(&job, optarg);
            break;
        case DESCRIBE:
            describe = optarg;
            break;
        case CAT:
            cat = optarg;
            break;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    if (result == 0 && describe && optind == argc)
        result = show(describe, NULL);
    else if (result == 0 && cat && optind == argc - 1)
        result = show(cat, argv[optind]);
    else if (result == 0 && job.kernel && job.program && job.output && optind == argc)
        result = pack(&job);
    else if (result == 0 && job.kernel && !job.program && !job.output && optind == argc)
        result = check(&job);
    else if (result == 0) {
        usage(stderr);
        return EXIT_USAGE;
    }
    for (int i = 0; i < IMAGE_PARTS; i++)
        bytes_free(&job.parts[i]);
    files_free(job.files);
    return result ? 1 : 0;
}
