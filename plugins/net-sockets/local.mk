# plugins/net-sockets
