#!/bin/sh
# nginx in one process, so that its CPU time and its end are the bench's to see; connections to the upstream are kept.
cat > "$SCRATCH/nginx-$PORT.conf" <<CONF
daemon off;
master_process off;
pid $SCRATCH/nginx-$PORT.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path $SCRATCH/nginx-$PORT-body;
  proxy_temp_path $SCRATCH/nginx-$PORT-proxy;
  fastcgi_temp_path $SCRATCH/nginx-$PORT-fastcgi;
  uwsgi_temp_path $SCRATCH/nginx-$PORT-uwsgi;
  scgi_temp_path $SCRATCH/nginx-$PORT-scgi;
  upstream app {
    server ${UPSTREAM#http://};
    keepalive 32;
  }
  server {
    listen 127.0.0.1:$PORT;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    }
  }
}
CONF
exec /usr/sbin/nginx -c "$SCRATCH/nginx-$PORT.conf"
