# plugins/lifecycle
