"""``halorow run``: one image on this machine, without any service."""
