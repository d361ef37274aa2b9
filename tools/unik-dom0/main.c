/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/main.c - a dom0 for a developer's machine: the commands. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/unik-dom0/command.h"
#include "tools/unik-dom0/fault.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *words, *help;
} commands[] = {
    { "start", command_start, "--state DIR [options]", "serve VMs in the foreground until SIGTERM or stop" },
    { "call", command_call, "--state DIR [--source VM] [--user USER] [--timeout S] SERVICE[+ARGUMENT]",
      "call a service of the VM" },
    { "exec", command_exec, "--state DIR [--just] [--timeout S] 'USER:COMMAND LINE'", "run a command line in the VM" },
    { "qubesdb", command_qubesdb, "--state DIR [--values] [--count N] read|write|rm|list|watch PATH [VALUE]",
      "look at and change its QubesDB" },
    { "gui", command_gui, "--state DIR list|wait|screenshot|point|click|key|type|focus|move|resize|minimise|restore|close\n"
      "             |copy|paste|show [WINDOW ...]", "its windows, and the user in front of them" },
    { "status", command_status, "--state DIR [--strict]", "channels, calls, ports, violations" },
    { "wait", command_wait, "--state DIR [--seconds S] dom0|qrexec|qubesdb|gui|net|gone", "until this dom0 runs, the guest is connected, or gone" },
    { "net", command_net, "--state DIR exec COMMAND...|attach|detach",
      "run a command in the VMs' network; plug a VM's cable, or pull it" },
    { "fault", command_fault, "--state DIR FAULT|none", "make a mistake on purpose from now on" },
    { "restart", command_restart, "--state DIR [--seconds S] qrexec|qubesdb|gui", "a daemon goes away and comes back" },
    { "stop", command_stop, "--state DIR", "end" },
};

int usage(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "unik-dom0: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nusage: unik-dom0 COMMAND --state DIR ...; unik-dom0 --help lists all\n");
    va_end(ap);
    return EXIT_USAGE;
}

bool parse_number(const char *text, double min, double max, double *value)
{
    char *end;
    double v = strtod(text, &end);

    if (end == text || *end || !(v >= min && v <= max))
        return false;
    *value = v;
    return true;
}

static int help(void)
{
    static char room[65536];            /* all of it goes out at once, so that one error is the error */
    char text[4096];
    struct unik_text faults;

    setvbuf(stdout, room, _IOFBF, sizeof(room));
    printf("unik-dom0 plays dom0 for VMs on this machine: qrexec daemon and client, QubesDB daemon, GUI daemon.\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("unik-dom0 %s %s\n    %s\n", commands[i].name, commands[i].words, commands[i].help);
    printf("\nEvery command but start takes --vm NAME|DOMID; the first VM is meant without. DIR is $UNIK_DOM0_STATE\n"
           "without --state. Options come before words.\n\n"
           "gui show takes --display D: real windows on that X display ($DISPLAY).\n\n"
           "start:\n"
           "  --domid N              the VM's domid (1)\n"
           "  --name NAME            its name (vmN)\n"
           "  --qubesdb FILE         its keys, lines \"PATH VALUE\" (without: those of a usual VM with a network)\n"
           "  --vm domid=N[,name=NAME][,user=USER][,qubesdb=FILE]\n"
           "                         one more VM; calls between VMs are passed on\n"
           "  --default-user USER    whom DEFAULT: means (user)\n"
           "  --policy FILE          what the guest may call: SERVICE[+ARGUMENT] TARGET allow[:VM]|deny|dom0:COMMAND\n"
           "  --services DIR         executables that answer calls to dom0\n"
           "  --protocol 2|3|4       the newest qrexec protocol that this dom0 speaks (4)\n"
           "  --no-gui               no GUI daemon\n"
           "  --gui-protocol 1.4..1.8\n"
           "                         the newest GUI protocol that this dom0 speaks (1.8)\n"
           "  --gui-domain N         play the GUI domain N beside another unik-dom0, on its sockets: only gui commands are of use\n"
           "  --screen WIDTHxHEIGHT  the user's screen (1920x1080)\n"
           "  --clipboard N          bytes that a VM may copy (64000)\n"
           "  --grant-dir DIR        files in place of granted pages ($UNIK_GRANT_DIR, else grants in that of the sockets)\n"
           "  --net                  a network for the VMs: a namespace with a TAP each, addresses as in Qubes OS, names\n"
           "  --hosts FILE           more names for it, in the form of /etc/hosts\n"
           "  --fault FAULT          as for the command fault; may be repeated\n"
           "  --deadline S           how long the guest may take for what it owes at once (10)\n"
           "  --connect-timeout S    how long call and exec wait for the guest to connect (10)\n"
           "  --transport socket|xen how to reach the VM (socket)\n"
           "  --vchan-dir DIR        sockets ($VCHAN_SOCKET_DIR, else DIR/vchan)\n"
           "  --log error|warning|info|debug\n\n"
           "FAULT is NAME[=N][xTIMES]:\n");
    unik_text_init(&faults, text, sizeof(text));
    fault_help(&faults);
    printf("%s\n"
           "call and exec end with the exit code of the call; 124 timed out; 125 not connected in time, or no port\n"
           "left; 126 no such VM, or not connected; 127 no such service; 255 cut off before its exit code. Others:\n"
           "1 failed, 2 usage (qubesdb: no such key). start ends with 1 if the guest broke the protocol.\n", text);
    return 0;
}

/* A closed stdin, stdout or stderr must not become the control socket. What is written to a closed stdout is lost, and the write
 * fails. */
static void open_standard(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == 1 ? O_RDONLY : O_RDWR);     /* the lowest that is free */
}

/* The exit code, after everything that was said has been written, or could not be. */
static int said(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "unik-dom0: standard output: %s\n", strerror(errno ? errno : EIO));
    return code ? code : 1;
}

int main(int argc, char **argv)
{
    open_standard();
    if (argc < 2)
        return usage("which command?");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return said(help());
    if (strcmp(argv[1], "--version") == 0) {
        printf("unik-dom0 %s\n", PACKAGE_VERSION);
        return said(0);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            if (argc > 2 && strcmp(argv[2], "--help") == 0)
                return said(help());
            if (commands[i].run == command_start)           /* lives on without it, and has said so */
                return command_start(argc - 1, argv + 1);
            return said(commands[i].run(argc - 1, argv + 1));
        }
    return usage("%s: no such command", argv[1]);
}
