# apps/www
