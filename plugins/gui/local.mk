# SPDX-License-Identifier: BSD-2-Clause
# gui: windows on the user's screen. libxkbcommon has no static library in Debian: the static program has the US layout, and those
# whose tables unik-keyboard has written into its image.
noinst_LTLIBRARIES += plugins/gui/libgui.la plugins/gui/libgui-us.la
plugins_gui_libgui_la_SOURCES = \
	plugins/gui/plugin.c plugins/gui/agent.h \
	plugins/gui/api.c plugins/gui/connection.c plugins/gui/input.c plugins/gui/configure.c plugins/gui/output.c \
	plugins/gui/window.c plugins/gui/buffer.c plugins/gui/clipboard.c \
	plugins/gui/damage.c plugins/gui/damage.h \
	plugins/gui/keyboard.c plugins/gui/keyboard.h plugins/gui/us.c plugins/gui/layout-file.c plugins/gui/layout-file.h
plugins_gui_libgui_us_la_SOURCES = plugins/gui/xkb-none.c
STATIC_PLUGINS += plugins/gui/libgui.la plugins/gui/libgui-us.la

if HAVE_XKB
noinst_LTLIBRARIES += plugins/gui/libgui-xkb.la
plugins_gui_libgui_xkb_la_SOURCES = plugins/gui/xkb.c
plugins_gui_libgui_xkb_la_CPPFLAGS = $(AM_CPPFLAGS) $(XKB_CFLAGS)
GUI_KEYS = plugins/gui/libgui-xkb.la $(XKB_LIBS)
noinst_PROGRAMS += plugins/gui/unik-keyboard
plugins_gui_unik_keyboard_SOURCES = plugins/gui/unik-keyboard.c
plugins_gui_unik_keyboard_LDADD = plugins/gui/libgui.la $(GUI_KEYS) protocol/libprotocol.la
UNIK_KEYBOARD = plugins/gui/unik-keyboard
else
GUI_KEYS = plugins/gui/libgui-us.la
endif

plugin_LTLIBRARIES += plugins/gui.la
plugins_gui_la_SOURCES =
plugins_gui_la_LIBADD = plugins/gui/libgui.la $(GUI_KEYS) protocol/libprotocol.la
plugins_gui_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-gui
check_PROGRAMS += tests/test-gui
GUI_FIXTURE = tests/gui/fixture.c tests/gui/fixture.h tests/gui/fake.c tests/gui/fake.h tests/gui/daemon.c tests/gui/daemon.h \
	tests/common/fake-vchan.c tests/common/fake-vchan.h tests/common/bytes.h
tests_test_gui_SOURCES = tests/test-gui.c $(GUI_FIXTURE) \
	tests/gui/windows.c tests/gui/input.c tests/gui/life.c tests/gui/units.c tests/gui/model.c
tests_test_gui_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_gui_LDADD = plugins/gui/libgui.la $(GUI_KEYS) protocol/libprotocol.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
TESTS += tests/test-gui-no-xkb
check_PROGRAMS += tests/test-gui-no-xkb
tests_test_gui_no_xkb_SOURCES = tests/gui/no-xkb.c tests/common/run.h $(GUI_FIXTURE)
tests_test_gui_no_xkb_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_gui_no_xkb_LDADD = plugins/gui/libgui.la plugins/gui/libgui-us.la protocol/libprotocol.la tools/host/libhost.la \
	$(CHECK_LIBS) $(EV_LIBS)
endif

if HAVE_XKB
if HAVE_CHECK
TESTS += tests/test-gui-layouts
check_PROGRAMS += tests/test-gui-layouts
tests_test_gui_layouts_SOURCES = tests/test-gui-layouts.c
tests_test_gui_layouts_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(XKB_CFLAGS)
tests_test_gui_layouts_LDADD = plugins/gui/libgui.la $(XKB_LIBS) protocol/libprotocol.la $(CHECK_LIBS)
endif
endif

FUZZ_TARGETS += tests/fuzz/fuzz-gui-layout
tests_fuzz_fuzz_gui_layout_SOURCES = tests/fuzz/fuzz-gui-layout.c
tests_fuzz_fuzz_gui_layout_LDADD = plugins/gui/libgui.la protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_gui_layout_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-gui-agent
tests_fuzz_fuzz_gui_agent_SOURCES = tests/fuzz/fuzz-gui-agent.c tests/fuzz/must.h tests/common/bytes.h \
	tests/gui/fake.c tests/gui/fake.h tests/common/fake-vchan.c tests/common/fake-vchan.h tests/gui/daemon.c tests/gui/daemon.h
tests_fuzz_fuzz_gui_agent_LDADD = plugins/gui/libgui.la plugins/gui/libgui-us.la protocol/libprotocol.la \
	tools/host/libhost.la $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_gui_agent_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
