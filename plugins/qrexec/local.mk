# plugins/qrexec
