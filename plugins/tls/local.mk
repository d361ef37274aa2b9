# SPDX-License-Identifier: BSD-2-Clause
# tls: tls/1 by mbedTLS, of the machine, or compiled here from Debian's source package (scripts/get-sources).
if HAVE_MBEDTLS
if OWN_MBEDTLS
TLS_CPPFLAGS = -isystem $(MBEDTLS_DIR)/include '-DMBEDTLS_CONFIG_FILE=<plugins/tls/mbedtls-config.h>'
TLS_LIBS =
# Somebody else's code: its warnings are not ours to look at. In sections, so that the linker leaves out what nobody calls.
MBEDTLS_CFLAGS = -w $(SANITIZE) $(MBEDTLS_SANITIZE) -fvisibility=hidden -ffunction-sections -fdata-sections
MBEDTLS_OBJECTS = $(patsubst %,plugins/tls/mbedtls/%.lo, \
	aes aesni asn1parse asn1write base64 bignum bignum_core block_cipher chacha20 chachapoly cipher cipher_wrap constant_time \
	ecdh ecdsa ecp ecp_curves gcm hkdf md oid pem pk pk_ecc pk_wrap pkparse platform_util poly1305 \
	psa_crypto psa_crypto_aead psa_crypto_cipher psa_crypto_client psa_crypto_driver_wrappers_no_static psa_crypto_ecp \
	psa_crypto_hash psa_crypto_mac psa_crypto_rsa psa_crypto_slot_management psa_util rsa rsa_alt_helpers sha1 sha256 sha512 \
	ssl_ciphersuites ssl_client ssl_msg ssl_tls ssl_tls12_client ssl_tls12_server ssl_tls13_client ssl_tls13_generic \
	ssl_tls13_keys ssl_tls13_server x509 x509_crt)
plugins/tls/mbedtls/%.lo: $(MBEDTLS_DIR)/library/%.c $(srcdir)/plugins/tls/mbedtls-config.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(LIBTOOL) $(AM_V_lt) --tag=CC --mode=compile $(CC) $(AM_CPPFLAGS) $(TLS_CPPFLAGS) \
		$(CPPFLAGS) $(MBEDTLS_CFLAGS) $(CFLAGS) -c -o $@ $<
# What is not run for each byte is small rather than fast.
$(patsubst %,plugins/tls/mbedtls/%.lo, asn1parse asn1write base64 cipher cipher_wrap ecdh ecdsa ecp_curves hkdf oid pem pk pk_ecc pk_wrap pkparse \
	psa_crypto psa_crypto_aead psa_crypto_cipher psa_crypto_client psa_crypto_driver_wrappers_no_static psa_crypto_ecp psa_crypto_hash \
	psa_crypto_mac psa_crypto_rsa psa_crypto_slot_management psa_util rsa rsa_alt_helpers ssl_ciphersuites ssl_client ssl_msg ssl_tls \
	ssl_tls12_client ssl_tls12_server ssl_tls13_client ssl_tls13_generic ssl_tls13_keys ssl_tls13_server x509 x509_crt): CFLAGS += $(SIZE_CFLAGS)
plugins/tls/mbedtls/ssl_tls12_client.lo: $(srcdir)/plugins/tls/mbedtls-pss.h
plugins/tls/mbedtls/ssl_tls12_client.lo: MBEDTLS_CFLAGS += -I$(MBEDTLS_DIR)/library -include $(srcdir)/plugins/tls/mbedtls-pss.h
CLEANFILES += $(MBEDTLS_OBJECTS) plugins/tls/mbedtls/*.o plugins/tls/mbedtls/.libs/*.o
else
TLS_CPPFLAGS =
TLS_LIBS = -lmbedtls -lmbedx509 -lmbedcrypto
MBEDTLS_OBJECTS =
endif

noinst_LTLIBRARIES += plugins/tls/libtls.la
plugins_tls_libtls_la_SOURCES = \
	plugins/tls/plugin.c plugins/tls/tls.h plugins/tls/mbedtls-config.h plugins/tls/mbedtls-pss.h \
	plugins/tls/address.c \
	plugins/tls/credentials.c \
	plugins/tls/random.c \
	plugins/tls/records.c \
	plugins/tls/stream.c \
	plugins/tls/why.c
plugins_tls_libtls_la_CPPFLAGS = $(AM_CPPFLAGS) $(TLS_CPPFLAGS) -DTLS_LIBRARY='"$(MBEDTLS_VERSION)"'
plugins_tls_libtls_la_LIBADD = $(MBEDTLS_OBJECTS)
STATIC_PLUGINS += plugins/tls/libtls.la $(TLS_LIBS)

plugin_LTLIBRARIES += plugins/tls.la
plugins_tls_la_SOURCES =
plugins_tls_la_LIBADD = plugins/tls/libtls.la $(TLS_LIBS) $(EV_LIBS)
plugins_tls_la_LDFLAGS = $(PLUGIN_LDFLAGS) -Wl,--gc-sections

if HAVE_CHECK
TESTS += tests/test-tls
check_PROGRAMS += tests/test-tls
tests_test_tls_SOURCES = tests/test-tls.c tests/www/mem-stream.c tests/www/mem-stream.h tests/common/run.h tests/common/ends.h
tests_test_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(TLS_CPPFLAGS)
tests_test_tls_LDADD = plugins/tls/libtls.la tools/host/libhost.la $(CHECK_LIBS) $(TLS_LIBS) $(EV_LIBS)
endif
TESTS += tests/test-https.sh
dist_noinst_SCRIPTS += tests/test-https.sh tests/tls/certificates.sh
check_PROGRAMS += tests/tls/fetch
tests_tls_fetch_SOURCES = tests/tls/fetch.c
tests_tls_fetch_LDADD = plugins/tls/libtls.la plugins/net-sockets/libnet-sockets.la protocol/libprotocol.la tools/host/libhost.la $(TLS_LIBS) $(EV_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz-tls
tests_fuzz_fuzz_tls_SOURCES = tests/fuzz/fuzz-tls.c tests/fuzz/must.h
tests_fuzz_fuzz_tls_LDADD = plugins/tls/libtls.la tools/host/libhost.la $(TLS_LIBS) $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_tls_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
