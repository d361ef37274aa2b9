# SPDX-License-Identifier: BSD-2-Clause
# Manual pages. A test holds them against what the programs say of themselves.
dist_man_MANS = man/unik-supervisor.8 man/unik-dom0.1 man/unik-image.1 man/unik-plugin.7 man/unik.conf.5

TESTS += tests/test-docs.sh
dist_noinst_SCRIPTS += tests/test-docs.sh
