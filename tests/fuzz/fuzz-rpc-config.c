/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a service config: whatever it says, an answer that fits its own rules. */
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/exec-parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct qrexec_service_config c;
    char said[100];
    struct unik_text t;
    int e;

    unik_text_init(&t, said, sizeof(said));
    e = qrexec_config_parse((const char *)bytes, n, &c, &t);
    if (e != 0 && (e != -EINVAL || !said[0]))
        abort();
    if (e == 0 && *c.force_user && (c.skip_descriptor || c.exit_on_client_eof || c.exit_on_service_eof))
        abort();
    if (!memchr(c.force_user, 0, sizeof(c.force_user)))
        abort();
    return 0;
}
