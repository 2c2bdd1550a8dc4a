"""Lets Azure's agent look for the SSH host key once, as it does for up to 30 minutes at each boot. Prints the key's fingerprint."""

from azurelinuxagent.common import conf
from azurelinuxagent.pa.provision.cloudinit import CloudInitProvisionHandler

conf.load_conf_from_file("/etc/waagent.conf")
print(CloudInitProvisionHandler().wait_for_ssh_host_key(max_retry=1))
