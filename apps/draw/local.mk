# SPDX-License-Identifier: BSD-2-Clause
# draw: text and rectangles for apps, installed as libunik-draw.a. With stb_truetype and the font of its package built in.
if HAVE_DRAW
lib_LTLIBRARIES += apps/draw/libunik-draw.la
apps_draw_libunik_draw_la_SOURCES = apps/draw/fill.c apps/draw/font.S apps/draw/text.c apps/draw/utf8.c
apps_draw_libunik_draw_la_CPPFLAGS = $(AM_CPPFLAGS) -DUNIK_FONT='"$(FONT)"'
apps_draw_libunik_draw_la_LDFLAGS = $(AM_LDFLAGS) -static
apps_draw_libunik_draw_la_LIBADD = -lm

if HAVE_CHECK
TESTS += tests/test-draw
check_PROGRAMS += tests/test-draw
tests_test_draw_SOURCES = tests/test-draw.c
tests_test_draw_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_draw_LDADD = apps/draw/libunik-draw.la $(CHECK_LIBS) -lm
endif
endif
