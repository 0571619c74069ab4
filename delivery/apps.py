"""Ships projects to hosts: the app's label, and where the room joins others."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    """The room."""

    name = "delivery"
    verbose_name = _("Delivery")

    def ready(self) -> None:
        """Join the engine to runs, and give the room's legs their judge."""
        self._join_engine()
        self._show_deploys()
        self._show_approvals()
        self._tell_chats()
        self._join_triggers()
        self._join_configs()
        self._show_applications()

    def _join_engine(self) -> None:
        """Let deploys go on when their runs end, when somebody decided on one, when an environment is free."""
        from delivery.engine import calls, ending, judging
        from delivery.safety import approvals, locks
        from tasks.legs.judging import JUDGES
        from tasks.services.settle import after_end

        JUDGES["delivery"] = judging.judge
        after_end.append(calls.run_ended)
        ending.after_end.append(calls.deploy_ended)
        approvals.after_word.append(calls.call)
        locks.after_free.append(calls.call_waiting)

    def _show_deploys(self) -> None:
        """Name deploys on the pages of their runs, and mark them on the charts of their hosts."""
        from delivery.engine import showing
        from monitor import marks
        from tasks.legs.subjects import SUBJECTS

        SUBJECTS["delivery"] = showing.words_of
        marks.sources.append(showing.marks)
        marks.many_sources.append(showing.marks_of_hosts)

    def _show_approvals(self) -> None:
        """List deploys and versions of configuration that need approval in the inbox of approvals."""
        from delivery.configs import approving as of_configs
        from delivery.pages import approving
        from tasks.approvals.beside import SOURCES

        SOURCES["deploy"] = approving.SOURCE
        SOURCES["config"] = of_configs.SOURCE

    def _tell_chats(self) -> None:
        """Let web-hooks say more of deploys, and know of which projects lines are."""
        from delivery.safety import chat_subjects

        chat_subjects.join()

    def _join_triggers(self) -> None:
        """Let what follows a deploy begin when it ended, and sets go on."""
        from delivery.engine import ending
        from delivery.releasesets import calls as sets
        from delivery.triggers import following, making

        ending.after_end.append(following.deploy_ended)
        ending.after_end.append(sets.deploy_ended)
        making.after_decision.append(sets.request_decided)

    def _show_applications(self) -> None:
        """Say on pages of applications what is live where, and give them the way to deliver."""
        from adminset.crud.resource import Action, Panel
        from appconf import extensions
        from delivery.pages import applications, choosing
        from delivery.safety import guarding

        extensions.before_environment.append(guarding.ensure_may_change)
        extensions.live_releases.append(applications.live_releases)
        extensions.project_panels.append(
            Panel(
                "delivery",
                _("Delivery"),
                "delivery/_project.html",
                applications.of_project,
                "delivery.view_pipeline",
            )
        )
        extensions.project_actions.append(
            Action(
                _("Deploy"),
                "delivery:project_deploy",
                "rocket",
                choosing.DEPLOYS,
                may=choosing.may_deploy_project,
            )
        )
        extensions.environment_actions.append(
            Action(
                _("Deploy"),
                "delivery:environment_deploy",
                "rocket",
                choosing.DEPLOYS,
                may=choosing.may_deploy_environment,
            )
        )
        extensions.environment_actions.append(
            Action(
                _("What is live"),
                "delivery:environment_live",
                "code-compare",
                "delivery.view_liverelease",
            )
        )
        extensions.environment_actions.append(
            Action(
                _("Charts of the hosts"),
                "delivery:environment_charts",
                "chart-line",
                "monitor.view_metrics",
            )
        )

    def _join_configs(self) -> None:
        """Let pushes of configuration end with their runs, give their legs a judge and a page, and environments the way to them."""
        from adminset.crud.resource import Action
        from appconf import extensions
        from delivery.configs import ending, judging
        from tasks.legs.judging import JUDGES
        from tasks.legs.subjects import SUBJECTS
        from tasks.services.settle import after_end

        JUDGES[judging.ROOM] = judging.judge
        SUBJECTS[judging.ROOM] = judging.words_of
        after_end.append(ending.run_ended)
        extensions.environment_actions.append(
            Action(
                _("Push configuration"),
                "delivery:environment_config",
                "paper-plane",
                "appconf.deploy_environment",
            )
        )
