#!/bin/sh
# nginx in one process, so that its CPU time and its end are the bench's to see; sendfile as in Debian's nginx.conf.
cat > "$SCRATCH/nginx-$PORT.conf" <<CONF
daemon off;
master_process off;
pid $SCRATCH/nginx-$PORT.pid;
error_log stderr;
events {}
http {
  types { text/plain txt; }
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path $SCRATCH/nginx-$PORT-body;
  proxy_temp_path $SCRATCH/nginx-$PORT-proxy;
  fastcgi_temp_path $SCRATCH/nginx-$PORT-fastcgi;
  uwsgi_temp_path $SCRATCH/nginx-$PORT-uwsgi;
  scgi_temp_path $SCRATCH/nginx-$PORT-scgi;
  server {
    listen 127.0.0.1:$PORT;
    root $FILES;
  }
}
CONF
exec /usr/sbin/nginx -c "$SCRATCH/nginx-$PORT.conf"
