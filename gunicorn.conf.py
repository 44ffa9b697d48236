"""How gunicorn serves the product; it reads this file by itself where it is started.

What stands on the command line wins over what stands here.
"""

worker_class = "gthread"
threads = 8
# No header moves the product to another path; without it addresses on pages could be chosen.
forwarder_headers = ""


def post_worker_init(worker: object) -> None:
    """Called once in each worker, when the product is loaded."""
    from sspr_project.serving import keep_quiet, leave_code_alone

    keep_quiet()
    leave_code_alone()
