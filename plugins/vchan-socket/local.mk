# plugins/vchan-socket
