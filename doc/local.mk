# SPDX-License-Identifier: BSD-2-Clause
# The plans: what is built, and what it is built on. And the papers.
dist_doc_DATA = doc/design.md doc/kernel.md doc/glossary.md \
	README.md LICENSE THIRD-PARTY.md SECURITY.md CHANGES.md HACKING.md
protocoldocdir = $(docdir)/protocol
dist_protocoldoc_DATA = doc/protocol/gui.md doc/protocol/lifecycle.md doc/protocol/network.md doc/protocol/qrexec.md \
	doc/protocol/qubesdb.md doc/protocol/vchan.md doc/protocol/xenstore.md
