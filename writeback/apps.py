from django.apps import AppConfig


class WritebackConfig(AppConfig):
    name = "writeback"

    def ready(self) -> None:
        from accounts.models import User
        from accounts.signin.elsewhere import register_judge

        from .services.sign_ins import DirectoryJudge

        register_judge(User.Source.PASS_THROUGH.value, DirectoryJudge())
