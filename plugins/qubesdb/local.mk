# plugins/qubesdb
