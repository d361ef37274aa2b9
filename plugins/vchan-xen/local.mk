# plugins/vchan-xen
