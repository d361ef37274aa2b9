/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/'s loader: a wrong program is refused in words, a good one never leads outside the file. */
#include "tests/boot/machine.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct bytes elf = { bytes, n };
    struct program p;
    const char *wrong = elf_load(&elf, &p);

    must(wrong || (p.phnum > 0 && p.phnum <= 64 && n >= 120));
    return 0;
}
