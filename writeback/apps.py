from django.apps import AppConfig


class WritebackConfig(AppConfig):
    name = "writeback"

    def ready(self) -> None:
        from accounts.models import User
        from accounts.signin.elsewhere import register_judge

        from . import (  # noqa: F401 - they register what they know
            config,
            config_reminders,
            import_links,
            policy_knowledge,
            receivers,
        )
        from .services import ordering  # noqa: F401 - says what an ordered job rests on
        from .services.sign_ins import DirectoryJudge

        register_judge(User.Source.PASS_THROUGH.value, DirectoryJudge())
