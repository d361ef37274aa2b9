# ask: asks the user, for other VMs.
if HAVE_DRAW
noinst_LTLIBRARIES += apps/ask/libask.la
apps_ask_libask_la_SOURCES = apps/ask/ask.c apps/ask/ask.h apps/ask/dialog.c apps/ask/layout.c apps/ask/question.c
STATIC_PLUGINS += apps/ask/libask.la

plugin_LTLIBRARIES += apps/ask.la
apps_ask_la_SOURCES =
apps_ask_la_LIBADD = apps/ask/libask.la apps/draw/libunik-draw.la $(EV_LIBS)
apps_ask_la_LDFLAGS = $(PLUGIN_LDFLAGS)
endif
