# bench

# make bench-vchan: the socket vchan against a plain socket pair
EXTRA_PROGRAMS += bench/vchan
CLEANFILES += bench/vchan$(EXEEXT)
bench_vchan_SOURCES = bench/vchan.c
bench_vchan_LDADD = plugins/vchan-socket/libvchan-socket.la tools/host/libhost.la $(EV_LIBS)
bench-vchan: bench/vchan$(EXEEXT)
	./bench/vchan$(EXEEXT)
.PHONY: bench-vchan
