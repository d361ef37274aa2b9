# plugins/xenstore
