# Container: the image in which all rules run with `--sdm apptainer` (docs/administrators.md says how to build it).
# In:  container/phytoscribe.sif of the installation, or what the environment variable PHYTOSCRIBE_CONTAINER names
IMAGE = os.environ.get("PHYTOSCRIBE_CONTAINER") or str(INSTALLATION / "container/phytoscribe.sif")

if (
    workflow.is_main_process
    and DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method
    and not ("://" in IMAGE or Path(IMAGE).exists())
):
    raise WorkflowError(
        f"--sdm apptainer: there is no image {IMAGE}; build it (cd {INSTALLATION} && apptainer build "
        "container/phytoscribe.sif container/phytoscribe.def), or name one in the environment variable PHYTOSCRIBE_CONTAINER"
    )


container: IMAGE
