# tools/unik-dom0
